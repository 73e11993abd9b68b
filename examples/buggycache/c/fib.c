/* fib.c: a recursion that computes everything again and again, and a loop. */
#include "buggycache.h"

/* The bug: two calls for each call, 1.6 times as many for each step of n. */
static long
fib(long n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

static long
fib_iterative(long n)
{
	long a = 0, b = 1;

	for (long i = 0; i < n; i++) {
		long next = a + b;
		a = b;
		b = next;
	}
	return a;
}

static long
position(const struct request *r)
{
	long n = number(r, "n", 20);

	return n < 0 || n > 32 ? 20 : n;
}

char *
fib_handler(const struct request *r)
{
	return text("{\"data\":%ld}\n", fib(position(r)));
}

char *
quick_fib_handler(const struct request *r)
{
	return text("{\"data\":%ld}\n", fib_iterative(position(r)));
}
