/*
 * main.c: BuggyCache in C: a small caching service with five bugs that people make, each with its fix.
 * BUGS=fib,leak,goroutines,lock,json (or all) switches bugs on; what is not named runs fixed.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "buggycache.h"

enum { THREADS = 16 };

static const struct {
	const char *name, *path;
	handler *buggy, *fixed;
} bugs[] = {
    {"fib", "/fib", fib_handler, quick_fib_handler},
    {"leak", "/report", memory_leak_handler, bounded_cache_handler},
    {"goroutines", "/session", thread_leak_handler, ended_thread_handler},
    {"lock", "/item", deadlock_handler, single_lock_handler},
    {"json", "/orders", slow_json_handler, fast_json_handler},
};

enum { BUGS = sizeof bugs / sizeof *bugs };

/* Whether a list of names, separated by commas, has this one. */
static bool
is_named(const char *list, const char *name)
{
	size_t size = strlen(name);

	if (strcmp(list, "all") == 0)
		return true;
	for (const char *at = list; (at = strstr(at, name)); at += size) {
		if ((at == list || at[-1] == ',') && (at[size] == ',' || !at[size]))
			return true;
	}
	return false;
}

static char *
health_handler(const struct request *r)
{
	(void)r;
	return text("up\n");
}

int
main(void)
{
	const char *switched_on = setting("BUGS", "");
	struct route routes[BUGS + 2] = {{"/health", health_handler}};

	for (size_t i = 0; i < BUGS; i++)
		routes[i + 1] = (struct route){bugs[i].path,
		    is_named(switched_on, bugs[i].name) ? bugs[i].buggy : bugs[i].fixed};
	return serve(routes, THREADS);
}
