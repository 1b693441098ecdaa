// The command line's start: what is asked for is read, done, and its exit code given back.

import CLaunch
import Glibc

exit(Start.run(Array(CommandLine.arguments.dropFirst())))
