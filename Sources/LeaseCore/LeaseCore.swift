// LeaseCore
