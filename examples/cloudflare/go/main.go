// A gateway that answers from a bounded cache or from its origin, and records what it does with a library. LIBRARY=1.4
// has the library's leak (a request in twenty fails, and its record is never dropped), LIBRARY=1.5 has not. The cache
// is no leak: it grows to CACHE entries.
package main

import (
	"bytes"
	"errors"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"sync"
	"sync/atomic"

	"gateway/spans"
)

var errOrigin = errors.New("the origin does not answer")

type gateway struct {
	spans *spans.Recorder
	lock  sync.Mutex
	pages map[int][]byte
	order []int // keys in the order in which they came, a ring when it is full
	next  int

	answers atomic.Int64
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func (g *gateway) cached(key int) []byte {
	g.lock.Lock()
	defer g.lock.Unlock()
	return g.pages[key]
}

// keep adds a page; where the cache is full, in place of the oldest.
func (g *gateway) keep(key int, page []byte) {
	g.lock.Lock()
	defer g.lock.Unlock()
	if _, known := g.pages[key]; known {
		return
	}
	if len(g.order) < cap(g.order) {
		g.order = append(g.order, key)
	} else {
		delete(g.pages, g.order[g.next])
		g.order[g.next] = key
		g.next = (g.next + 1) % len(g.order)
	}
	g.pages[key] = page
}

func askOrigin(key int) ([]byte, error) {
	if key%20 == 0 {
		return nil, errOrigin
	}
	return bytes.Repeat([]byte(strconv.Itoa(key)+"\n"), 8192/6), nil
}

func (g *gateway) answer(key int) (page []byte, err error) {
	span := g.spans.Begin()
	defer func() { g.spans.End(span, err) }()
	span.Note("looked up")
	if page = g.cached(key); page != nil {
		return page, nil
	}
	span.Note("asks the origin")
	if page, err = askOrigin(key); err == nil {
		g.keep(key, page)
	}
	return page, err
}

func (g *gateway) page(w http.ResponseWriter, r *http.Request) {
	key, _ := strconv.Atoi(r.URL.Query().Get("key"))
	page, err := g.answer(key)
	if err != nil {
		page = []byte("stale\n") // what a gateway says then
	}
	_, _ = w.Write(page)
	g.answers.Add(1)
}

func serve(port string, h http.Handler) {
	log.Fatal(http.ListenAndServe(net.JoinHostPort("127.0.0.1", port), h))
}

func main() {
	entries, err := strconv.Atoi(setting("CACHE", "4000"))
	if err != nil || entries < 1 {
		log.Fatal("CACHE: a number of pages")
	}
	g := &gateway{spans: spans.NewRecorder(), pages: map[int][]byte{}, order: make([]int, 0, entries)}
	g.spans.DropFailed = setting("LIBRARY", "1.4") != "1.4"

	metrics := http.NewServeMux()
	metrics.HandleFunc("/debug/pprof/", pprof.Index)
	metrics.HandleFunc("/debug/pprof/profile", pprof.Profile)
	go serve(setting("METRICS_PORT", "2121"), metrics)
	app := http.NewServeMux()
	app.HandleFunc("/page", g.page)
	app.HandleFunc("/health", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write(strconv.AppendInt(nil, g.answers.Load(), 10))
	})
	serve(setting("HTTP_PORT", "8000"), app)
}
