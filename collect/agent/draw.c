/* draw.c: see draw.h. Without libm, which the agent doesn't bring: a few digits are plenty here. */
#include "collect/agent/draw.h"

#include <string.h>

enum { WINDOW_NS = 100000000, WINDOWS = 10, MOST_DOUBLINGS = 10 }; /* windows in a second */

void
pf_gate_init(struct pf_gate *gate, uint64_t base, uint32_t most)
{
	*gate =
	    (struct pf_gate){.base = base, .most = most / WINDOWS, .period = base, .highest = base};
}

static void
set_period(struct pf_gate *gate, uint64_t period)
{
	atomic_store_explicit(&gate->period, period, memory_order_relaxed);
	if (period > atomic_load_explicit(&gate->highest, memory_order_relaxed))
		atomic_store_explicit(&gate->highest, period, memory_order_relaxed);
	atomic_store_explicit(&gate->count, 0, memory_order_relaxed);
}

void
pf_gate_count(struct pf_gate *gate, int64_t now)
{
	uint32_t count = atomic_fetch_add_explicit(&gate->count, 1, memory_order_relaxed) + 1;
	uint64_t period = atomic_load_explicit(&gate->period, memory_order_relaxed);
	int64_t since = atomic_load_explicit(&gate->since, memory_order_relaxed);

	if (now - since >= WINDOW_NS) {
		if (!atomic_compare_exchange_strong(&gate->since, &since, now))
			return;
		/* Pauses count as windows with nothing in them. */
		for (int64_t quiet = (now - since) / WINDOW_NS;
		    quiet > 0 && period > gate->base && count < gate->most / 4; quiet--)
			period /= 2, count /= 2;
		set_period(gate, period);
	} else if (count >= gate->most && period < gate->base << MOST_DOUBLINGS) {
		set_period(gate, period * 2);
	}
}

/* ln(x) for a normal x > 0: x = m 2^e with m in [1/√2, √2), then 2 artanh((m − 1) / (m + 1)). */
static double
natural_log(double x)
{
	uint64_t bits;
	double m, t, t2;
	int e;

	memcpy(&bits, &x, sizeof bits);
	e = (int)(bits >> 52) - 1023;
	bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
	memcpy(&m, &bits, sizeof m);
	if (m > 1.4142135623730951) {
		m /= 2;
		e++;
	}
	t = (m - 1) / (m + 1);
	t2 = t * t;
	return e * 0.6931471805599453 +
	       2 * t *
		   (1 +
		       t2 * (1.0 / 3 + t2 * (1.0 / 5 + t2 * (1.0 / 7 + t2 * (1.0 / 9 + t2 / 11)))));
}

uint64_t
pf_draw(uint64_t *state, uint64_t period)
{
	/* 53 random bits as a number in (0, 1]. */
	double u = (double)((pf_random(state) >> 11) + 1) * 0x1p-53;

	return 1 + (uint64_t)(-natural_log(u) * (double)period);
}

/* 1 − exp(−x): the series where it is small, halving the argument where it is not. */
static double
one_minus_exp(double x)
{
	int halvings = 0;
	double e;

	if (x > 40)
		return 1;
	for (; x > 0.5; halvings++)
		x /= 2;
	e = x * (1 - x / 2 * (1 - x / 3 * (1 - x / 4 * (1 - x / 5 * (1 - x / 6 * (1 - x / 7))))));
	while (halvings-- > 0)
		e = e * (2 - e); /* 1 − (1 − e)² */
	return e;
}

double
pf_scale(uint64_t size, uint64_t period)
{
	if (size == 0 || period <= 1)
		return 1;
	return 1 / one_minus_exp((double)size / (double)period);
}
