// go_work SECONDS CPU.pb.gz HEAP.pb.gz: mixed work (JSON, sorting, compression, maps) under Go's own profilers, with
// labels, recursion and inlining: profiles such as services give.
package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"time"
)

type record struct {
	Name   string
	Values []int
	Words  map[string]string
}

func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

func work(n int) int {
	r := record{Name: "x", Words: map[string]string{}}
	for i := 0; i < 50; i++ {
		r.Values = append(r.Values, i*n)
		r.Words[fmt.Sprint(i)] = strings.Repeat("a", i%7)
	}
	text, _ := json.Marshal(r)
	var back record
	_ = json.Unmarshal(text, &back)
	sort.Slice(back.Values, func(i, j int) bool { return back.Values[i]%13 < back.Values[j]%13 })
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(text)
	_ = w.Close()
	return packed.Len() + len(back.Values) + fib(18)
}

func run(end time.Time) (sum int, kept [][]byte) {
	for i := 0; time.Now().Before(end); i++ {
		handler := pprof.Labels("handler", []string{"read", "write"}[i%2])
		pprof.Do(context.Background(), handler, func(context.Context) { sum += work(i) })
		if i%16 == 0 {
			kept = append(kept, make([]byte, 4096))
		}
	}
	return sum, kept
}

func main() {
	seconds, err := strconv.ParseFloat(os.Args[1], 64)
	if err != nil {
		log.Fatal(err)
	}
	runtime.MemProfileRate = 16 << 10
	cpu, err := os.Create(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		log.Fatal(err)
	}
	_, kept := run(time.Now().Add(time.Duration(seconds * float64(time.Second))))
	pprof.StopCPUProfile()
	heap, err := os.Create(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.Lookup("heap").WriteTo(heap, 0); err != nil {
		log.Fatal(err)
	}
	runtime.KeepAlive(kept)
}
