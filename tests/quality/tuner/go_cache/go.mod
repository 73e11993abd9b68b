module example.test/gocache

go 1.26
