// The daemon's start: options, places, the log, the socket; then the loop.

import Glibc
import LeaseIO
import LeaseModel
import LeaseServer

exit(Start.run(Array(CommandLine.arguments.dropFirst())))
