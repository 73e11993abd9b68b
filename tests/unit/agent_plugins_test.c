/*
 * agent_plugins_test.c: plugins that replace each other at one address, every few milliseconds, while
 * the sampler's looks at the loader come at the worst moments (pf_modules_follow is wrapped by pauses):
 * an address belongs to its own file or to none.
 */
#include "support/unit.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <time.h>

#include "collect/agent/host.h"
#include "collect/agent/sampler.h"
#include "collect/agent/symbols.h"
#include "profile/model.h"

struct pf_modules;
bool __real_pf_modules_follow(struct pf_modules *m);
bool __wrap_pf_modules_follow(struct pf_modules *m);

static _Atomic bool done;
static char paths[2][4096];

static void
pause_for(long microseconds)
{
	struct timespec time = {.tv_nsec = microseconds * 1000};

	nanosleep(&time, NULL);
}

/* Modules come and go before, while and after we look. */
bool
__wrap_pf_modules_follow(struct pf_modules *m)
{
	bool changed;

	pause_for(lrand48() % 12000);
	changed = __real_pf_modules_follow(m);
	pause_for(lrand48() % 12000);
	return changed;
}

static void *
swap_plugins(void *unused)
{
	(void)unused;
	for (unsigned i = 0; !atomic_load(&done); i++) {
		void *plugin = dlopen(paths[i % 2], RTLD_NOW);
		void (*use)(double);
		assert_non_null(plugin);
		*(void **)&use = dlsym(plugin, "plugin_burn");
		use(0.02 + 0.02 * drand48());
		dlclose(plugin);
	}
	return NULL;
}

/* Whether a file has a function at this offset: it is loaded to find out. */
static bool
is_code(const char *path, uint64_t offset)
{
	void *plugin = dlopen(path, RTLD_NOW), *function;
	struct pf_query query = {0};
	Dl_info info;

	assert_non_null(plugin);
	function = dlsym(plugin, "plugin_burn");
	assert_true(dladdr(function, &info));
	query.address = (uint64_t)(uintptr_t)info.dli_fbase + offset;
	pf_symbols_find(&query, 1);
	dlclose(plugin);
	return *query.name != '\0';
}

static struct pf_profile *
take_profile(double seconds)
{
	struct pf_buffer raw = {.maximum = 64 << 20};
	int64_t now = pf_host_now(), end = now + (int64_t)(seconds * 1e9);
	struct pf_profile *profile;
	struct pf_error err = {0};

	assert_int_equal(
	    pf_sampler_open(PF_WINDOW_HTTP, (struct pf_event_wish){PF_EVENT_CPU, 0}), 0);
	for (; now < end; now = pf_host_now()) {
		pf_sampler_tick(now);
		pause_for(1000);
	}
	assert_int_equal(pf_sampler_close(PF_WINDOW_HTTP, &raw), 0);
	if (pf_profile_parse(&profile, "agent", raw.bytes, raw.size, NULL, &err))
		fail_msg("%s", err.message);
	pf_buffer_release(&raw);
	return profile;
}

static void
addresses_are_in_their_own_file(void **state)
{
	struct pf_profile *profile;
	pthread_t thread;
	size_t right = 0;
	(void)state;

	pf_host_init();
	srand48(pf_host_now());
	assert_int_equal(pthread_create(&thread, NULL, swap_plugins, NULL), 0);
	profile = take_profile(3);
	atomic_store(&done, true);
	pthread_join(thread, NULL);
	for (size_t i = 0; i < profile->location_count; i++) {
		const struct pf_location *l = &profile->locations[i];
		const struct pf_mapping *m =
		    l->mapping == PF_NONE ? NULL : &profile->mappings[l->mapping];
		const char *file = m ? pf_profile_string(profile, m->filename) : "";
		uint64_t offset = m ? l->address - m->start + m->offset : 0;
		if (!strstr(file, "agent_plugin_"))
			continue;
		if (!is_code(file, offset))
			fail_msg("%s+%#llx is no code", file, (unsigned long long)offset);
		right++;
	}
	assert_true(right > 0);
	pf_profile_free(profile);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(addresses_are_in_their_own_file),
	};

	for (int i = 0; i < 2; i++)
		snprintf(paths[i], sizeof paths[i], "%s/tests/agent/agent_plugin_%c.so",
		    getenv("PROFUSE_BUILD_DIR"), "ab"[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
