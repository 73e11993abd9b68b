/* budget.c: see budget.h. */
#include "budget.h"

static void
settle(struct pf_account *a, double now)
{
	if (now > a->at)
		a->level += a->rate * (now - a->at);
	a->at = now;
	if (a->level > a->most)
		a->level = a->most;
}

void
pf_account_set(struct pf_account *a, double now, double rate, double most)
{
	bool fresh = a->most <= 0;

	if (!fresh)
		settle(a, now);
	a->rate = rate;
	a->most = most;
	a->at = now;
	if (fresh)
		a->level = most / 2;
	if (a->level > most)
		a->level = most;
}

bool
pf_account_take(
    struct pf_account *const *accounts, int count, double now, double cost, double reserve)
{
	for (int i = 0; i < count; i++) {
		double left = i + 1 == count ? reserve * accounts[i]->most : 0;
		settle(accounts[i], now);
		/* a single profile may cost more than there ever is: then it waits for a full account */
		if (accounts[i]->level - left < cost && accounts[i]->level < accounts[i]->most)
			return false;
	}
	for (int i = 0; i < count; i++) {
		accounts[i]->level -= cost;
		accounts[i]->spent += cost;
	}
	return true;
}
