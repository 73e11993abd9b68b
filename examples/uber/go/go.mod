module dispatch

go 1.26
