package main

import (
	"container/list"
	"strconv"
)

// The cache as it is usually written: a map from a key to an element of a list that points to an entry that points to
// its key. Four objects an entry, and each of them is followed by every collection.
type linkedStore struct {
	capacity int
	byKey    map[string]*list.Element
	order    *list.List // the most recent in front
}

type linkedEntry struct {
	key string
	state
}

func newLinkedStore(capacity int) *linkedStore {
	return &linkedStore{capacity, make(map[string]*list.Element, capacity), list.New()}
}

func keyOf(user, channel uint64) string {
	return strconv.FormatUint(user, 10) + ":" + strconv.FormatUint(channel, 10)
}

func (s *linkedStore) size() int { return s.order.Len() }

func (s *linkedStore) read(user, channel uint64) (state, bool) {
	element, known := s.byKey[keyOf(user, channel)]
	if !known {
		return state{}, false
	}
	s.order.MoveToFront(element)
	return element.Value.(*linkedEntry).state, true
}

func (s *linkedStore) write(user, channel uint64, value state) {
	key := keyOf(user, channel)
	if element, known := s.byKey[key]; known {
		element.Value.(*linkedEntry).state = value
		s.order.MoveToFront(element)
		return
	}
	if s.order.Len() == s.capacity {
		oldest := s.order.Back()
		delete(s.byKey, s.order.Remove(oldest).(*linkedEntry).key)
	}
	s.byKey[key] = s.order.PushFront(&linkedEntry{key, value})
}
