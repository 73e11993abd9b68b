// go_gc PORT: an HTTP service that allocates on every request, with the runtime's metrics under /metrics by the
// names that Prometheus' Go client gives them, from the standard library alone.
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
)

var kept [64][]byte

func handle(w http.ResponseWriter, r *http.Request) {
	n := 0
	for i := range 200 {
		b := make([]byte, 512+i)
		b[i] = byte(i)
		kept[i%len(kept)] = b
		n += len(b)
	}
	fmt.Fprintln(w, n)
}

func pauses(w http.ResponseWriter) {
	sample := []metrics.Sample{{Name: "/sched/pauses/total/gc:seconds"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindFloat64Histogram {
		return
	}
	h := sample[0].Value.Float64Histogram()
	var sum uint64
	fmt.Fprintln(w, "# TYPE go_sched_pauses_total_gc_seconds histogram")
	for i, count := range h.Counts {
		sum += count
		if bound := h.Buckets[i+1]; i+1 < len(h.Counts) {
			fmt.Fprintf(w, "go_sched_pauses_total_gc_seconds_bucket{le=%q} %d\n", strconv.FormatFloat(bound, 'g', -1, 64), sum)
		}
	}
	fmt.Fprintf(w, "go_sched_pauses_total_gc_seconds_bucket{le=\"+Inf\"} %d\n", sum)
	fmt.Fprintf(w, "go_sched_pauses_total_gc_seconds_sum NaN\ngo_sched_pauses_total_gc_seconds_count %d\n", sum)
}

func cpu(w http.ResponseWriter, name, as string) {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	if sample[0].Value.Kind() == metrics.KindFloat64 {
		fmt.Fprintf(w, "# TYPE %s counter\n%s %g\n", as, as, sample[0].Value.Float64())
	}
}

func tell(w http.ResponseWriter, r *http.Request) {
	var m runtime.MemStats
	var gc debug.GCStats
	runtime.ReadMemStats(&m)
	debug.ReadGCStats(&gc)
	fmt.Fprintf(w, "# TYPE go_gc_duration_seconds summary\ngo_gc_duration_seconds_sum %g\ngo_gc_duration_seconds_count %d\n",
		gc.PauseTotal.Seconds(), gc.NumGC)
	fmt.Fprintf(w, "# TYPE go_memstats_alloc_bytes gauge\ngo_memstats_alloc_bytes %d\n", m.HeapAlloc)
	fmt.Fprintf(w, "# TYPE go_memstats_heap_alloc_bytes gauge\ngo_memstats_heap_alloc_bytes %d\n", m.HeapAlloc)
	fmt.Fprintf(w, "# TYPE go_memstats_alloc_bytes_total counter\ngo_memstats_alloc_bytes_total %d\n", m.TotalAlloc)
	pauses(w)
	cpu(w, "/cpu/classes/gc/total:cpu-seconds", "go_cpu_classes_gc_total_cpu_seconds_total")
	cpu(w, "/cpu/classes/total:cpu-seconds", "go_cpu_classes_total_cpu_seconds_total")
}

func main() {
	http.HandleFunc("/", handle)
	http.HandleFunc("/metrics", tell)
	if err := http.ListenAndServe("127.0.0.1:"+os.Args[1], nil); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
