// go_pgo is a Go service for profile-guided builds: it formats Go source, which is parsing, walking trees and
// printing through interfaces, as services do. Standard library only.
//
//	go_pgo serve ADDRESS               POST /format; net/http/pprof beside it; prints the address it listens on
//	go_pgo load ADDRESS FOLDER SECONDS posts the folder's Go files to it, two at a time
//	go_pgo replay FOLDER ROUNDS        formats them without a network, and prints how many bytes that gave
package main

import (
	"bytes"
	"fmt"
	"go/format"
	"io"
	"log"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"
)

func formatted(w http.ResponseWriter, r *http.Request) {
	source, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 4<<20))
	if err == nil {
		source, err = format.Source(source)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	_, _ = w.Write(source)
}

func serve(address string) error {
	http.HandleFunc("POST /format", formatted)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr())
	return http.Serve(listener, nil)
}

func read(folder string) (sources [][]byte, err error) {
	names, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err == nil && len(names) == 0 {
		err = fmt.Errorf("no Go files in %s", folder)
	}
	for _, name := range names {
		source, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		sources = append(sources, source)
	}
	return sources, err
}

func post(url string, source []byte) error {
	response, err := http.Post(url, "text/plain", bytes.NewReader(source))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

func load(address, folder string, end time.Time) error {
	sources, err := read(folder)
	if err != nil {
		return err
	}
	errors := make(chan error, 2)
	var clients sync.WaitGroup
	for client := range 2 {
		clients.Go(func() {
			for i := client; time.Now().Before(end); i++ {
				if err := post("http://"+address+"/format", sources[i%len(sources)]); err != nil {
					errors <- err
					return
				}
			}
		})
	}
	clients.Wait()
	close(errors)
	return <-errors
}

func replay(folder string, rounds int) error {
	sources, err := read(folder)
	if err != nil {
		return err
	}
	total := 0
	for range rounds {
		for _, source := range sources {
			result, err := format.Source(source)
			if err != nil {
				return err
			}
			total += len(result)
		}
	}
	fmt.Println(total)
	return nil
}

func main() {
	var err error
	switch arguments := append(os.Args[1:], "", "", "", ""); arguments[0] {
	case "serve":
		err = serve(arguments[1])
	case "load":
		seconds, _ := strconv.Atoi(arguments[3])
		err = load(arguments[1], arguments[2], time.Now().Add(time.Duration(seconds)*time.Second))
	case "replay":
		rounds, _ := strconv.Atoi(arguments[2])
		err = replay(arguments[1], rounds)
	default:
		err = fmt.Errorf("serve, load or replay?")
	}
	if err != nil {
		log.Fatal(err)
	}
}
