module example.test/faults

go 1.26
