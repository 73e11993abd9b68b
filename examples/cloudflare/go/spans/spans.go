// Package spans is the library: it notes what a request does, and hands on what was noted when it ends.
package spans

import (
	"sync"
	"time"
)

// A Span is one request's record.
type Span struct {
	id      uint64
	started time.Time
	events  []event
}

type event struct {
	at   time.Duration
	name string
}

// A Recorder keeps the spans that have not ended.
type Recorder struct {
	lock sync.Mutex
	next uint64
	open map[uint64]*Span
	// Ended spans go here.
	Export func(*Span)
	// What versions up to 1.4 forget: a span that ends with an error stays in the table of open ones.
	DropFailed bool
}

func NewRecorder() *Recorder {
	return &Recorder{open: map[uint64]*Span{}, Export: func(*Span) {}}
}

// Begin opens a span, with room for as many events as a request has.
func (r *Recorder) Begin() *Span {
	s := &Span{started: time.Now(), events: make([]event, 0, 96)}
	r.lock.Lock()
	defer r.lock.Unlock()
	r.next++
	s.id = r.next
	r.open[s.id] = s
	return s
}

// Note adds an event.
func (s *Span) Note(name string) {
	s.events = append(s.events, event{time.Since(s.started), name})
}

// End closes a span.
func (r *Recorder) End(s *Span, err error) {
	if err != nil {
		s.Note(err.Error())
		if !r.DropFailed {
			return
		}
	}
	r.lock.Lock()
	delete(r.open, s.id)
	r.lock.Unlock()
	r.Export(s)
}
