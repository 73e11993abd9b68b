// A service that knows what everybody has read: for each user and channel the last message and the mentions since, in
// an LRU cache of millions of entries. STORE=pointers is written as one writes such a cache, STORE=flat holds the same
// without pointers. ENTRIES is how many. GC_EVERY=1s brings the runtime's own collections (one in two minutes) forward.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"
)

type state struct {
	message  uint64 // the last one that was read
	mentions uint32
}

// A store keeps the `capacity` states that were used last.
type store interface {
	read(user, channel uint64) (state, bool)
	write(user, channel uint64, s state)
	size() int
}

func setting(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func fill(s store, entries int) {
	for i := range entries {
		s.write(uint64(i), uint64(i%97), state{message: uint64(i), mentions: uint32(i % 5)})
	}
}

type service struct {
	lock   sync.Mutex
	states store
}

// acknowledge marks a message as read, and answers with what was known before.
func (s *service) acknowledge(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	user, _ := strconv.ParseUint(query.Get("user"), 10, 64)
	channel := user % 97
	s.lock.Lock()
	before, known := s.states.read(user, channel)
	s.states.write(user, channel, state{message: before.message + 1})
	s.lock.Unlock()
	fmt.Fprintf(w, `{"known":%t,"message":%d,"mentions":%d}`, known, before.message, before.mentions)
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	fmt.Fprintf(w, "%d states\n", s.states.size())
}

func serve(port string, h http.Handler) {
	log.Fatal(http.ListenAndServe(net.JoinHostPort("127.0.0.1", port), h))
}

func main() {
	entries, err := strconv.Atoi(setting("ENTRIES", "2000000"))
	if err != nil || entries < 1 {
		log.Fatal("ENTRIES: a number of states")
	}
	var s service
	switch setting("STORE", "pointers") {
	case "pointers":
		s.states = newLinkedStore(entries)
	case "flat":
		s.states = newFlatStore(entries)
	default:
		log.Fatal("STORE: pointers or flat")
	}
	fill(s.states, entries)
	runtime.GC() // what a service has behind it that has run for long
	if every, err := time.ParseDuration(setting("GC_EVERY", "0s")); err == nil && every > 0 {
		go func() {
			for range time.Tick(every) {
				runtime.GC()
			}
		}()
	}

	metrics := http.NewServeMux()
	metrics.HandleFunc("/debug/pprof/", pprof.Index)
	metrics.HandleFunc("/debug/pprof/profile", pprof.Profile)
	go serve(setting("METRICS_PORT", "2121"), metrics)
	app := http.NewServeMux()
	app.HandleFunc("/ack", s.acknowledge)
	app.HandleFunc("/health", s.health)
	serve(setting("HTTP_PORT", "8000"), app)
}
