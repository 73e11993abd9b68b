// go_service ADDRESS: a service as Go programs are: net/http/pprof, /metrics with a latency histogram, and work whose
// samples carry OpenTelemetry's labels. GET /work?id=TRACE does some; GET /slow?ms=N makes everything that slow from
// now on. It prints the port that it got.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

var (
	bounds  = []float64{0.005, 0.05, 0.5, 1, 5}
	mutex   sync.Mutex
	buckets = make([]uint64, len(bounds)+1)
	seconds float64
	slow    atomic.Int64
)

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func observe(took float64) {
	mutex.Lock()
	defer mutex.Unlock()
	i := 0
	for i < len(bounds) && took > bounds[i] {
		i++
	}
	buckets[i]++
	seconds += took
}

func work(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	labels := pprof.Labels("trace_id", r.URL.Query().Get("id"), "handler", "work")
	pprof.Do(context.Background(), labels, func(context.Context) {
		fmt.Fprintln(w, fib(34))
		time.Sleep(time.Duration(slow.Load()) * time.Millisecond)
	})
	observe(time.Since(began).Seconds())
}

func metrics(w http.ResponseWriter, _ *http.Request) {
	mutex.Lock()
	defer mutex.Unlock()
	fmt.Fprintln(w, "# TYPE http_request_duration_seconds histogram")
	var sum uint64
	for i, n := range buckets {
		sum += n
		le := "+Inf"
		if i < len(bounds) {
			le = strconv.FormatFloat(bounds[i], 'g', -1, 64)
		}
		fmt.Fprintf(w, "http_request_duration_seconds_bucket{path=\"/work\",le=%q} %d\n", le, sum)
	}
	fmt.Fprintf(w, "http_request_duration_seconds_sum{path=\"/work\"} %g\n", seconds)
	fmt.Fprintf(w, "http_request_duration_seconds_count{path=\"/work\"} %d\n", sum)
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
}

func main() {
	runtime.SetMutexProfileFraction(5)
	http.HandleFunc("/work", work)
	http.HandleFunc("/metrics", metrics)
	http.HandleFunc("/slow", func(_ http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.ParseInt(r.URL.Query().Get("ms"), 10, 64)
		slow.Store(ms)
	})
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	log.Fatal(http.Serve(listener, nil))
}
