// LeaseServer
