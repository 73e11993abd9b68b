package main

import (
	"os"
	"strconv"
	"sync"

	"github.com/coocood/freecache"
)

const reportBytes = 64000

// A report takes some work to write, which is why it is kept.
func writeReport(report []byte, key string) []byte {
	for line := 0; len(report) < cap(report)-100; line++ {
		report = append(report, key...)
		report = append(report, ' ')
		report = strconv.AppendInt(report, int64(line), 10)
		report = append(report, '\n')
	}
	return report
}

var (
	reportsLock sync.Mutex
	reports     [][]byte // the bug: a cache that only grows
	// So that an example does not take the machine's memory: LEAK_MB=1200 is the published one.
	leakBytes = megabytes("LEAK_MB", 400)
)

func megabytes(name string, otherwise int) int {
	size, err := strconv.Atoi(os.Getenv(name))
	if err != nil || size < 1 {
		size = otherwise
	}
	return size << 20
}

func memoryLeakHandler(c *Context) (any, error) {
	report := writeReport(make([]byte, 0, reportBytes), c.Param("key"))
	reportsLock.Lock()
	defer reportsLock.Unlock()
	if len(reports)*reportBytes < leakBytes {
		reports = append(reports, report)
	}
	return len(report), nil
}

// The fix: 100 MB, without pointers for the collector to follow, the oldest entries give way. Made by the first request.
var reportCache = sync.OnceValue(func() *freecache.Cache { return freecache.NewCache(megabytes("CACHE_MB", 100)) })

func boundedCacheHandler(c *Context) (any, error) {
	key := []byte(c.Param("key"))
	report, err := reportCache().Get(key)
	if err != nil {
		report = writeReport(make([]byte, 0, reportBytes), c.Param("key"))
		err = reportCache().Set(key, report, 0)
	}
	return len(report), err
}
