package main

import (
	"context"
	"time"
)

// What a session keeps doing while it lasts.
func refreshSession(token []byte) { token[0]++ }

// The bug: whoever asks leaves a goroutine behind, asleep, with all that it holds.
func goroutineLeakHandler(c *Context) (any, error) {
	token := make([]byte, 4096)
	go func() {
		for {
			time.Sleep(time.Hour)
			refreshSession(token)
		}
	}()
	return "started", nil
}

// The fix: it ends with the request's context.
func cancelledHandler(c *Context) (any, error) {
	token := make([]byte, 4096)
	ctx, cancel := context.WithCancel(c)
	defer cancel()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-time.After(time.Hour):
				refreshSession(token)
			}
		}
	}()
	return "started", nil
}
