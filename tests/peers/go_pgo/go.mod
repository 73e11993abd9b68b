module profuse/go_pgo

go 1.26
