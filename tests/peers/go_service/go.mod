module profuse.test/go_service

go 1.21
