// LeaseIO
