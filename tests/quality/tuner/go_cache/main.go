// go_cache [OPERATIONS [RECORDS]]: a cache of small records with pointers under a fixed number of requests: CPU time then
// compares between settings of the collector. The fewer records it keeps (60000), the more often it collects. CPU_PROFILE=FILE in the environment writes a CPU profile of the run.
package main

import (
	"log"
	"os"
	"runtime/pprof"
	"strconv"
	"strings"
)

type record struct {
	key   string
	words []string
	next  *record
}

func main() {
	operations := 400000
	if len(os.Args) > 1 {
		operations, _ = strconv.Atoi(os.Args[1])
	}
	if path := os.Getenv("CPU_PROFILE"); path != "" {
		f, err := os.Create(path)
		if err != nil {
			log.Fatal(err)
		}
		if err := pprof.StartCPUProfile(f); err != nil {
			log.Fatal(err)
		}
		defer pprof.StopCPUProfile()
	}
	live, room := 60000, operations // of that, much of the heap is room for the order of all records that there ever were
	if len(os.Args) > 2 {
		live, _ = strconv.Atoi(os.Args[2])
		room = 2 * live
	}
	records := make(map[string]*record, live)
	order := make([]string, 0, room)
	var last *record
	total := 0
	for i := range operations {
		key := "record-" + strconv.Itoa(i%(2*live))
		if r, ok := records[key]; ok {
			total += len(strings.Join(r.words, ","))
			continue
		}
		r := &record{key: key, words: strings.Split("some words that a request brings along "+strconv.Itoa(i), " ")}
		if i%7 == 0 {
			r.next, last = last, r
		}
		if i%1000 == 0 {
			last = nil
		}
		records[key] = r
		order = append(order, key)
		if len(records) > live {
			delete(records, order[0])
			order = order[1:]
		}
	}
	if total < 0 {
		log.Fatal("impossible")
	}
}
