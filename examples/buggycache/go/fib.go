package main

import "strconv"

// The bug: two calls for each call, 1.6 times as many for each step of n.
func fib(n int) int {
	if n < 2 {
		return n
	}
	return fib(n-1) + fib(n-2)
}

// The fix: n additions.
func fibIterative(n int) int {
	a, b := 0, 1
	for range n {
		a, b = b, a+b
	}
	return a
}

func position(c *Context) int {
	n, err := strconv.Atoi(c.Param("n"))
	if err != nil || n < 0 || n > 32 {
		return 20
	}
	return n
}

func fibHandler(c *Context) (any, error) { return fib(position(c)), nil }

func quickFibHandler(c *Context) (any, error) { return fibIterative(position(c)), nil }
