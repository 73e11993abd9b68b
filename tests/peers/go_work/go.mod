module profuse/go_work

go 1.24
