// LeaseLog
