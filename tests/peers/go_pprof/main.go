// A real Go service with net/http/pprof and something of every kind to profile:
// CPU, allocations, contended locks, blocked channels, waiting goroutines. The
// tests of "profuse collect" ask it. Standard library only.
//
//	gopprof ADDRESS [WRITE_TIMEOUT]
//
// It prints the address that it listens on.
package main

import (
	"crypto/sha256"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"runtime"
	"sync"
	"time"
)

var kept [64][]byte

func hashSomeData(rounds int) (sum byte) {
	data := make([]byte, 4096)
	for i := 0; i < rounds; i++ {
		digest := sha256.Sum256(data)
		copy(data, digest[:])
		sum ^= digest[0]
	}
	return sum
}

func keepSomeMemory() {
	for i := 0; ; i++ {
		kept[i%len(kept)] = make([]byte, 256<<10)
		time.Sleep(5 * time.Millisecond)
	}
}

func contend(lock *sync.Mutex) {
	for {
		lock.Lock()
		hashSomeData(20)
		lock.Unlock()
		time.Sleep(time.Millisecond)
	}
}

func handOver(work chan int) {
	for i := 0; ; i++ {
		work <- i
	}
}

func main() {
	runtime.SetMutexProfileFraction(1)
	runtime.SetBlockProfileRate(1)
	runtime.MemProfileRate = 64 << 10
	server := &http.Server{}
	if len(os.Args) > 2 {
		timeout, err := time.ParseDuration(os.Args[2])
		if err != nil {
			panic(err)
		}
		server.WriteTimeout = timeout
	}
	var lock sync.Mutex
	work := make(chan int)
	go keepSomeMemory()
	for i := 0; i < 3; i++ {
		go contend(&lock)
	}
	go handOver(work)
	go func() {
		for range work {
			time.Sleep(2 * time.Millisecond)
		}
	}()
	listener, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(server.Serve(listener))
}
