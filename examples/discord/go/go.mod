module readstates

go 1.26
