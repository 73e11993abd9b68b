// BuggyCache: a small caching service with five bugs that people make, each with its fix. BUGS=fib,leak,goroutines,lock,json
// (or all) switches bugs on; what is not named runs fixed.
package main

import (
	"log"
	"os"
	"runtime"
	"strings"
)

var bugs = map[string]bool{"fib": false, "leak": false, "goroutines": false, "lock": false, "json": false}

func switchBugsOn(list string) {
	for name := range strings.SplitSeq(list, ",") {
		switch _, known := bugs[name]; {
		case name == "":
		case name == "all":
			for each := range bugs {
				bugs[each] = true
			}
		case known:
			bugs[name] = true
		default:
			log.Fatalf("BUGS=%s: there are fib, leak, goroutines, lock, json and all", list)
		}
	}
}

// choose gives the buggy handler where its bug is switched on.
func choose(bug string, buggy, fixed Handler) Handler {
	if bugs[bug] {
		return buggy
	}
	return fixed
}

func healthHandler(*Context) (any, error) { return "up", nil }

func main() {
	switchBugsOn(os.Getenv("BUGS"))
	// Go records who waits for locks only when asked to; every 10th wait, and waits of 10 µs, cost next to nothing.
	runtime.SetMutexProfileFraction(10)
	runtime.SetBlockProfileRate(10000)

	app := newApp()
	app.GET("/health", healthHandler)
	app.GET("/fib", choose("fib", fibHandler, quickFibHandler))
	app.GET("/report", choose("leak", memoryLeakHandler, boundedCacheHandler))
	app.GET("/session", choose("goroutines", goroutineLeakHandler, cancelledHandler))
	app.GET("/item", choose("lock", deadlockHandler, singleLockHandler))
	app.POST("/orders", choose("json", slowJSONHandler, fastJSONHandler))
	app.Run()
}
