// go_faults CASE DIR [SECONDS]: a small service with one fault (or none), and every profile it then shows, written to DIR
// as /debug/pprof would serve them: what the tuner's detectors are held against. With SECONDS = 0 it serves
// /debug/pprof, and /metrics, on the address in $ADDRESS until it is killed, and prints where that is.
package main

import (
	"bytes"
	"container/list"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"sync"
	"time"
)

// What a request asks for: the cases differ in what the service does to answer.
type request struct {
	ID   int
	Name string
	Tags []string
	Body map[string]string
}

func makeRequest(i int) request {
	r := request{ID: i, Name: "request-" + strconv.Itoa(i), Body: map[string]string{}}
	for j := range 20 {
		r.Tags = append(r.Tags, strconv.Itoa(i*j))
		r.Body["key-"+strconv.Itoa(j)] = strconv.Itoa(i ^ j)
	}
	return r
}

// A bounded amount of honest work.
func digest(n int) byte {
	var block [4096]byte
	sum := sha256.Sum256(block[:])
	for i := 0; i < n; i++ {
		sum = sha256.Sum256(sum[:])
	}
	return sum[0]
}

// ---- the cases ----

var sink byte

func healthy(stop <-chan struct{}) {
	recent := make([][]byte, 256)
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(time.Millisecond):
		}
		recent[i%len(recent)] = make([]byte, 4096)
		sink += digest(200)
	}
}

var journal [][]byte

func recordVisit(i int) { journal = append(journal, bytes.Repeat([]byte{byte(i)}, 2048)) }

func leak(stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		case <-time.After(200 * time.Microsecond):
		}
		recordVisit(i)
		sink += digest(20)
	}
}

func buildAnswer(i int) int {
	total := 0
	for j := range 40 {
		total += len(fmt.Sprintf("%d-%d-%s", i, j, bytes.Repeat([]byte("x"), j)))
	}
	return total
}

func churn(stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		sink += byte(buildAnswer(i))
	}
}

type node struct {
	key         string
	value       []*string
	left, right *node
}

type lru struct {
	order *list.List
	byKey map[string]*list.Element
	most  int
}

func (c *lru) put(key string, n *node) {
	c.byKey[key] = c.order.PushFront(n)
	if c.order.Len() > c.most {
		last := c.order.Back()
		delete(c.byKey, last.Value.(*node).key)
		c.order.Remove(last)
	}
}

var cached *lru

func cache(stop <-chan struct{}) {
	cached = &lru{order: list.New(), byKey: map[string]*list.Element{}, most: 400000}
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		text := "value-" + strconv.Itoa(i)
		key := "key-" + strconv.Itoa(i)
		cached.put(key, &node{key: key, value: []*string{&text, new(string)}})
	}
}

func sleepers(stop <-chan struct{}) {
	for range 5000 {
		go waitForRetry()
	}
	healthy(stop)
}

func waitForRetry() { time.Sleep(24 * time.Hour) }

func senders(stop <-chan struct{}) {
	results := make(chan int)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			go func() { results <- i }() // nobody receives
		}
	}()
	healthy(stop)
}

var (
	table     = map[int]byte{}
	tableLock sync.Mutex
)

func updateTable(i int) {
	tableLock.Lock()
	defer tableLock.Unlock()
	table[i%1024] = digest(300)
}

func contention(stop <-chan struct{}) {
	var done sync.WaitGroup
	for w := range 16 {
		done.Go(func() {
			for i := w; ; i += 16 {
				select {
				case <-stop:
					return
				default:
				}
				updateTable(i)
			}
		})
	}
	done.Wait()
}

var first, second sync.Mutex

func moveForward() {
	first.Lock()
	time.Sleep(50 * time.Millisecond)
	second.Lock()
}

func moveBackward() {
	second.Lock()
	time.Sleep(50 * time.Millisecond)
	first.Lock()
}

func deadlock(stop <-chan struct{}) {
	go moveForward()
	go moveBackward()
	time.Sleep(100 * time.Millisecond)
	for range 20 {
		go moveForward()
	}
	healthy(stop)
}

var whole sync.Mutex

// A lock that is held while what is called takes it again; and, in handover, given back before.
func refreshAll() {
	whole.Lock()
	defer whole.Unlock()
	refreshOne()
}

func refreshOne() {
	whole.Lock()
	defer whole.Unlock()
	sink += digest(2000)
}

func refreshInTurn() {
	whole.Lock()
	sink += digest(2000)
	whole.Unlock()
	refreshOne()
}

func relock(stop <-chan struct{}) {
	for range 20 {
		go refreshAll()
	}
	healthy(stop)
}

func handover(stop <-chan struct{}) {
	for range 20 {
		go func() {
			for {
				refreshInTurn()
			}
		}()
	}
	<-stop
}

func countPaths(n int) int {
	if n < 2 {
		return 1
	}
	return countPaths(n-1) + countPaths(n-2)
}

func recursion(stop <-chan struct{}) {
	for {
		select {
		case <-stop:
			return
		default:
		}
		sink += byte(countPaths(24))
	}
}

func roundTrip(i int) {
	text, _ := json.Marshal(makeRequest(i))
	var back request
	_ = json.Unmarshal(text, &back)
	sink += byte(back.ID)
}

func serialize(stop <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-stop:
			return
		default:
		}
		roundTrip(i)
	}
}

// A database that takes its time: another party on the network, whose CPU is not ours.
func slowServer() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				b := make([]byte, 64)
				for {
					if _, err := c.Read(b); err != nil {
						return
					}
					time.Sleep(80 * time.Millisecond)
					_, _ = c.Write([]byte("answer\n"))
				}
			}()
		}
	}()
	return l.Addr().String()
}

func queryRemote(c net.Conn) {
	b := make([]byte, 64)
	_, _ = c.Write([]byte("query\n"))
	_, _ = c.Read(b)
}

func slow(stop <-chan struct{}) {
	address := os.Getenv("SLOW_SERVER")
	if address == "" {
		address = slowServer()
	}
	for range 24 {
		go func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				log.Fatal(err)
			}
			for {
				queryRemote(c)
				sink += digest(20)
			}
		}()
	}
	<-stop
}

// One more goroutine with each answer, that waits for news which nobody sends: few yet, but more with each minute.
func followUpdates(updates <-chan int) {
	for range updates {
	}
}

func subscribers(stop <-chan struct{}) {
	updates := make(chan int)
	for {
		select {
		case <-stop:
			return
		case <-time.After(25 * time.Millisecond):
			go followUpdates(updates)
		}
	}
}

// Work that comes in batches: as many goroutines at times, and none of them stays.
func batches(stop <-chan struct{}) {
	for i := 0; ; i++ {
		for range 40 + i*173%211 {
			go func() { time.Sleep(700 * time.Millisecond) }()
		}
		select {
		case <-stop:
			return
		case <-time.After(time.Second):
		}
	}
}

var cases = map[string]func(<-chan struct{}){
	"healthy": healthy, "leak": leak, "churn": churn, "cache": cache, "sleepers": sleepers, "senders": senders,
	"contention": contention, "deadlock": deadlock, "relock": relock, "handover": handover,
	"recursion": recursion, "serialize": serialize, "slow": slow,
	"subscribers": subscribers, "batches": batches,
}

// ---- what is kept of a run ----

func write(dir, name, profile string, debug int) {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	if err := pprof.Lookup(profile).WriteTo(f, debug); err != nil {
		log.Fatal(err)
	}
}

// The same as GET /debug/pprof/heap?gc=1 and ?debug=1.
func snapshot(dir, suffix string) {
	runtime.GC()
	write(dir, "heap"+suffix+".pb.gz", "heap", 0)
	write(dir, "heap"+suffix+".debug1", "heap", 1)
	write(dir, "goroutine"+suffix+".pb.gz", "goroutine", 0)
}

// What a trigger may watch.
func metrics(w http.ResponseWriter, _ *http.Request) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fmt.Fprintf(w, "# TYPE go_memstats_heap_inuse_bytes gauge\ngo_memstats_heap_inuse_bytes %d\n", m.HeapInuse)
	fmt.Fprintf(w, "# TYPE go_goroutines gauge\ngo_goroutines %d\n", runtime.NumGoroutine())
}

func serve(address string) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/metrics", metrics)
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}

func main() {
	run, dir := cases[os.Args[1]], os.Args[2]
	if run == nil {
		log.Fatal("no such case")
	}
	seconds, err := strconv.ParseFloat(os.Args[3], 64)
	if err != nil {
		log.Fatal(err)
	}
	runtime.SetMutexProfileFraction(10)
	runtime.SetBlockProfileRate(10000)
	stop := make(chan struct{})
	go run(stop)
	if seconds == 0 {
		serve(os.Getenv("ADDRESS"))
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		log.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	cpu, err := os.Create(filepath.Join(dir, "cpu.pb.gz"))
	if err != nil {
		log.Fatal(err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		log.Fatal(err)
	}
	const snapshots = 8
	for i := range snapshots {
		time.Sleep(time.Duration(seconds / snapshots * float64(time.Second)))
		series := os.Args[1] == "leak" || os.Args[1] == "subscribers" || os.Args[1] == "batches"
		if i == 0 || i == snapshots-1 || series {
			snapshot(dir, "-"+strconv.Itoa(i))
		}
	}
	pprof.StopCPUProfile()
	cpu.Close()
	write(dir, "allocs.pb.gz", "allocs", 0)
	write(dir, "goroutine.debug2", "goroutine", 2)
	write(dir, "mutex.pb.gz", "mutex", 0)
	write(dir, "block.pb.gz", "block", 0)
	write(dir, "threadcreate.pb.gz", "threadcreate", 0)
	runtime.KeepAlive(cached)
	runtime.KeepAlive(journal)
}
