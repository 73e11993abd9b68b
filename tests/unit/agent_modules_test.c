/*
 * agent_modules_test.c: whose an address was, when plugins come and go between the looks: the file's if
 * only one can have been there, nobody's if another can, seen or not.
 */
#include "support/unit.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "collect/agent/host.h"
#include "collect/agent/modules.h"

enum { LATE = 0 }; /* `now`: forced looks are due at once, and then never again */

static char paths[2][4096];
static struct pf_modules modules;
static unsigned look; /* that preceded the present samples' gathering */

/* The address of its function, the same for both: they replace each other. */
static uint64_t
load(int which, void **plugin)
{
	Dl_info info;

	*plugin = dlopen(paths[which], RTLD_NOW);
	assert_non_null(*plugin);
	assert_true(dladdr(dlsym(*plugin, "plugin_burn"), &info));
	return (uint64_t)(uintptr_t)info.dli_saddr;
}

static void
load_and_close(int which)
{
	void *plugin;

	load(which, &plugin);
	dlclose(plugin);
}

/* Ends looking up what was gathered before, gathers, and looks at the modules, as a drain does. */
static void
gather(void)
{
	pf_modules_drained(&modules, look);
	look = modules.look;
	pf_modules_follow(&modules);
}

static const char *
owner(uint64_t pc)
{
	uint32_t number = pf_modules_find(&modules, pc, LATE);

	return number == PF_NO_MAPPING ? "none" : strrchr(modules.items[number].file, '/') + 1;
}

static int
set_up(void **state)
{
	(void)state;
	pf_host_init();
	if (pf_modules_init(&modules))
		return -1;
	look = modules.look;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	pf_modules_release(&modules);
	return 0;
}

static void
a_plugin_that_stays_has_its_address(void **state)
{
	void *plugin;
	uint64_t pc;
	(void)state;

	pc = load(0, &plugin);
	gather();
	assert_string_equal(owner(pc), "agent_plugin_a.so");
	gather();
	dlclose(plugin);
	gather(); /* samples from when it was there, perhaps */
	assert_string_equal(owner(pc), "agent_plugin_a.so");
	gather(); /* it may have gone just after the last gathering */
	assert_string_equal(owner(pc), "agent_plugin_a.so");
	gather();
	assert_string_equal(owner(pc), "none");
	assert_int_equal(modules.ambiguous, 0);
}

static void
two_that_replaced_each_other_share_it(void **state)
{
	void *a, *b;
	uint64_t pc;
	(void)state;

	pc = load(0, &a);
	gather();
	gather();
	dlclose(a);
	load(1, &b);
	gather();
	assert_string_equal(owner(pc), "none");
	assert_int_equal(modules.ambiguous, 1);
	gather();
	assert_string_equal(owner(pc), "none");
	gather();
	assert_string_equal(owner(pc), "agent_plugin_b.so");
	dlclose(b);
}

static void
one_that_came_and_went_unseen_counts_too(void **state)
{
	void *a;
	uint64_t pc;
	(void)state;

	pc = load(0, &a);
	gather();
	gather();
	assert_string_equal(owner(pc), "agent_plugin_a.so");
	dlclose(a);
	load_and_close(1);
	load(0, &a); /* everything is as it was */
	gather();
	assert_string_equal(owner(pc), "none");
	assert_int_not_equal(modules.ambiguous, 0);
	gather();
	gather();
	assert_string_equal(owner(pc), "agent_plugin_a.so");
	dlclose(a);
	load_and_close(1); /* at the place of one that is gone now */
	gather();
	assert_string_equal(owner(pc), "none");
	assert_string_equal(owner((uint64_t)(uintptr_t)set_up), "agent_modules_test");
}

static void
one_unseen_before_a_new_one_counts_too(void **state)
{
	void *a;
	uint64_t pc;
	(void)state;

	load_and_close(1);
	pc = load(0, &a);
	gather();
	assert_string_equal(owner(pc), "none");
	gather();
	gather();
	assert_string_equal(owner(pc), "agent_plugin_a.so");
	dlclose(a);
}

struct part {
	void *start;
	size_t size, offset;
	bool code;
};

/* Where the loader has put a plugin. */
static size_t
find_parts(const char *path, struct part *parts, size_t room)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[8192], permissions[5];
	unsigned long start, limit;
	size_t count = 0;

	assert_non_null(maps);
	while (count < room && fgets(line, sizeof line, maps)) {
		struct part *part = &parts[count];

		line[strcspn(line, "\n")] = '\0';
		if (!strstr(line, path) || sscanf(line, "%lx-%lx %4s %zx", &start, &limit,
					       permissions, &part->offset) != 4)
			continue;
		part->start = (void *)start;
		part->size = limit - start;
		part->code = permissions[2] == 'x';
		count++;
	}
	fclose(maps);
	return count;
}

/* As the loader does before it has the file in its list. */
static void
map_parts(const char *path, const struct part *parts, size_t count)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	for (size_t i = 0; i < count; i++)
		assert_ptr_equal(mmap(parts[i].start, parts[i].size,
				     parts[i].code ? PROT_READ | PROT_EXEC : PROT_READ,
				     MAP_PRIVATE | MAP_FIXED, fd, (off_t)parts[i].offset),
		    parts[i].start);
	close(fd);
}

static void
one_unseen_before_what_is_being_loaded_counts_too(void **state)
{
	struct part parts[8];
	void *a;
	uint64_t pc;
	size_t count;
	(void)state;

	pc = load(0, &a);
	count = find_parts(paths[0], parts, 8);
	assert_in_range(count, 2, 7);
	gather();
	gather();
	dlclose(a);
	load_and_close(1);
	map_parts(paths[0], parts, count);
	gather();
	assert_string_equal(owner(pc), "none");
	assert_non_null(strstr(
	    owner((uint64_t)(uintptr_t)dlsym(RTLD_DEFAULT, "gnu_get_libc_version")), "libc"));
	for (size_t i = 0; i < count; i++)
		munmap(parts[i].start, parts[i].size);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_plugin_that_stays_has_its_address, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		two_that_replaced_each_other_share_it, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		one_that_came_and_went_unseen_counts_too, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		one_unseen_before_a_new_one_counts_too, set_up, tear_down),
	    cmocka_unit_test_setup_teardown(
		one_unseen_before_what_is_being_loaded_counts_too, set_up, tear_down),
	};

	for (int i = 0; i < 2; i++)
		snprintf(paths[i], sizeof paths[i], "%s/tests/agent/agent_plugin_%c.so",
		    getenv("PROFUSE_BUILD_DIR"), "ab"[i]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
