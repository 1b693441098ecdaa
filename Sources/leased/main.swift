// The daemon's start: options, places, the log, the socket; then the loop.

import Glibc

exit(Start.run(Array(CommandLine.arguments.dropFirst())))
