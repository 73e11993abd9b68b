package main

import (
	"strconv"
	"sync"
	"time"
)

type item struct {
	value   string
	expires time.Time
}

// A map with a lock of its own.
type itemTable struct {
	lock  sync.Mutex
	items map[string]item
}

func (t *itemTable) put(key, value string) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.items[key] = item{value, time.Now().Add(time.Minute)}
}

func (t *itemTable) dropExpired(now time.Time) int {
	t.lock.Lock()
	defer t.lock.Unlock()
	dropped := 0
	for key, it := range t.items {
		if it.expires.Before(now) {
			delete(t.items, key)
			dropped++
		}
	}
	return dropped
}

// What a cache has in it when it has run for a while.
func filledTable() *itemTable {
	t := &itemTable{items: map[string]item{}}
	for i := range 100000 {
		key := strconv.Itoa(i)
		t.items[key] = item{"value of " + key, time.Now().Add(24 * time.Hour)}
	}
	return t
}

var table = filledTable()

// How far away another service is; ORIGIN says otherwise (ORIGIN=20ms).
var originTakes = duration("ORIGIN", 2*time.Millisecond)

// The answer of that service.
func askOrigin(key string) string {
	time.Sleep(originTakes)
	return "value of " + key
}

var requestLock sync.Mutex

func clean() int {
	requestLock.Lock()
	defer requestLock.Unlock()
	return table.dropExpired(time.Now())
}

// The bug: a second lock around everything, held while another service is asked: requests queue. And whoever asks for
// a clean-up takes it twice, and waits for itself.
func deadlockHandler(c *Context) (any, error) {
	requestLock.Lock()
	defer requestLock.Unlock()
	value := askOrigin(c.Param("key"))
	table.put(c.Param("key"), value)
	if c.Param("clean") != "" {
		return clean(), nil
	}
	return value, nil
}

// The fix: the table's own lock is enough.
func singleLockHandler(c *Context) (any, error) {
	value := askOrigin(c.Param("key"))
	table.put(c.Param("key"), value)
	if c.Param("clean") != "" {
		return table.dropExpired(time.Now()), nil
	}
	return value, nil
}
