/* /proc, control groups and pressure: files of real processes, this process, and a tree made of copies. */
#include <math.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/cgroup.h"
#include "runtime/pressure.h"
#include "runtime/proc.h"
#include "support/read_fixture.h"

static void
status_and_smaps_of_one_process_agree(void **state)
{
	struct pf_buffer status = read_fixture("runtime/glibc.status");
	struct pf_buffer smaps = read_fixture("runtime/glibc.smaps_rollup");
	struct pf_proc p;
	struct pf_error err = {0};
	(void)state;

	pf_proc_init(&p);
	assert_true(pf_proc_is_status(status.bytes, status.size));
	assert_true(pf_proc_is_smaps(smaps.bytes, smaps.size));
	assert_false(pf_proc_is_smaps(status.bytes, status.size));
	assert_int_equal(pf_proc_parse_status(&p, "status", status.bytes, status.size, &err), 0);
	assert_string_equal(p.name, "workload");
	assert_true(p.rss == 87720 * 1024.0 && p.peak_rss == 95376 * 1024.0 && p.threads == 1);
	assert_true(isnan(p.pss));
	assert_int_equal(pf_proc_parse_smaps(&p, "smaps", smaps.bytes, smaps.size, &err), 0);
	assert_true(p.rss == 87720 * 1024.0 && p.pss == 86438 * 1024.0);
	pf_buffer_release(&status);
	pf_buffer_release(&smaps);
	assert_int_equal(pf_proc_parse_status(&p, "x", "hello", 5, &err), PF_EINPUT);
	assert_int_equal(pf_proc_parse_smaps(&p, "x", "", 0, &err), PF_EINPUT);
}

static void
a_stat_line_survives_any_name(void **state)
{
	static const char line[] =
	    "77 (a) b (c) R 1 1 1 0 -1 0 11 0 13 0 250 50 0 0 20 0 9 0 1000 3 4\n";
	struct pf_buffer real = read_fixture("runtime/process.stat");
	struct pf_proc p;
	struct pf_error err = {0};
	(void)state;

	pf_proc_init(&p);
	assert_int_equal(pf_proc_parse_stat(&p, "stat", line, sizeof line - 1, 100, &err), 0);
	assert_string_equal(p.name, "a) b (c");
	assert_true(p.pid == 77 && p.minor_faults == 11 && p.major_faults == 13);
	assert_true(p.user_seconds == 2.5 && p.system_seconds == 0.5 && p.threads == 9);
	assert_true(p.start_seconds == 10);
	assert_int_equal(pf_proc_parse_stat(&p, "stat", real.bytes, real.size, 100, &err), 0);
	assert_string_equal(p.name, "cat");
	assert_int_equal(pf_proc_parse_stat(&p, "stat", line, 20, 100, &err), PF_EINPUT);
	pf_buffer_release(&real);
}

static void
a_living_process_is_read_whole(void **state)
{
	struct pf_proc p;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_proc_read(&p, getpid(), &err), 0);
	assert_int_equal(p.pid, getpid());
	assert_true(
	    p.rss > 0 && p.peak_rss >= p.rss * 0.5 && p.threads >= 1 && p.user_seconds >= 0);
	assert_true(isnan(p.stacks)); /* they have a call of their own */
	pf_proc_read_stacks(&p, getpid());
	assert_true(p.stacks >= 0);
	assert_int_equal(pf_proc_read(&p, 0x7ffffff0, &err), PF_EIO);
}

static void
variables_of_an_environment_are_found_whole(void **state)
{
	static const char bytes[] = "GOGC=50\0XGOGC=1\0GOMEMLIMIT=64MiB\0CUT=of";
	struct pf_buffer b = {.bytes = (uint8_t *)(uintptr_t)bytes, .size = sizeof bytes - 1};
	(void)state;

	assert_string_equal(pf_proc_environment(&b, "GOGC"), "50");
	assert_string_equal(pf_proc_environment(&b, "GOMEMLIMIT"), "64MiB");
	assert_null(pf_proc_environment(&b, "GOM"));
	assert_null(pf_proc_environment(&b, "CUT"));
}

/* A root with one process, 42, in the given hierarchy. */
static void
put(const char *root, const char *path, const char *text)
{
	char full[4096];
	struct pf_error err = {0};

	snprintf(full, sizeof full, "%s/%s", root, path);
	for (char *slash = full + strlen(root) + 1; (slash = strchr(slash, '/')); *slash++ = '/') {
		*slash = '\0';
		(void)mkdir(full, 0700);
	}
	if (pf_file_write(full, text, strlen(text), &err))
		fail_msg("%s", err.message);
}

static char *
new_root(void)
{
	static char root[] = "/tmp/profuse-cgroup-XXXXXX";

	memcpy(root + sizeof root - 7, "XXXXXX", 6);
	assert_non_null(mkdtemp(root));
	return root;
}

static void
remove_root(const char *root)
{
	char command[128];

	snprintf(command, sizeof command, "rm -r %s", root);
	assert_int_equal(system(command), 0);
}

static void
the_lowest_limit_on_the_path_counts(void **state)
{
	const char *root = new_root();
	struct pf_cgroup g;
	struct pf_error err = {0};
	(void)state;

	put(root, "proc/42/cgroup", "0::/pod/box\n");
	put(root, "proc/42/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	put(root, "sys/fs/cgroup/pod/memory.max", "536870912\n");
	put(root, "sys/fs/cgroup/pod/cpu.max", "150000 100000\n");
	put(root, "sys/fs/cgroup/pod/box/memory.max", "max\n");
	put(root, "sys/fs/cgroup/pod/box/memory.high", "max\n");
	put(root, "sys/fs/cgroup/pod/box/memory.current", "1048576\n");
	put(root, "sys/fs/cgroup/pod/box/memory.events", "low 0\noom_kill 3\n");
	put(root, "sys/fs/cgroup/pod/box/cpu.max", "max 100000\n");
	put(root, "sys/fs/cgroup/pod/box/cpu.stat",
	    "usage_usec 2500000\nnr_periods 10\nnr_throttled 4\nthrottled_usec 500000\n");
	assert_int_equal(pf_cgroup_read(&g, root, 42, &err), 0);
	assert_int_equal(g.version, 2);
	assert_true(g.memory_limit == 536870912 && isinf(g.memory_high));
	assert_true(g.memory_current == 1048576 && g.oom_kills == 3);
	assert_true(g.cpu_limit == 1.5 && g.usage_seconds == 2.5);
	assert_true(g.throttled_periods == 4 && g.throttled_seconds == 0.5 && g.periods == 10);
	remove_root(root);
}

static void
the_first_version_is_read_where_controllers_are_there(void **state)
{
	const char *root = new_root();
	struct pf_cgroup g;
	struct pf_error err = {0};
	(void)state;

	/* As in a container: the mount's root is the container's own group. */
	put(root, "proc/42/cgroup",
	    "4:memory:/docker/abc\n2:cpu,cpuacct:/docker/abc\n3:cpuset:/x\n0::/\n");
	put(root, "proc/42/mountinfo",
	    "33 31 0:30 /docker/abc /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	    "34 31 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n");
	put(root, "sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
	put(root, "sys/fs/cgroup/memory/memory.usage_in_bytes", "4096\n");
	put(root, "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_quota_us", "-1\n");
	put(root, "sys/fs/cgroup/cpu/docker/abc/cpu.cfs_period_us", "100000\n");
	put(root, "sys/fs/cgroup/cpu/docker/cpu.cfs_quota_us", "50000\n");
	put(root, "sys/fs/cgroup/cpu/docker/cpu.cfs_period_us", "100000\n");
	put(root, "sys/fs/cgroup/cpu/docker/abc/cpuacct.usage", "3000000000\n");
	assert_int_equal(pf_cgroup_read(&g, root, 42, &err), 0);
	assert_int_equal(g.version, 1);
	assert_true(isinf(g.memory_limit) && g.memory_current == 4096);
	assert_true(g.cpu_limit == 0.5 && g.usage_seconds == 3);
	remove_root(root);
}

static void
no_group_is_no_error_and_no_process_is(void **state)
{
	const char *root = new_root();
	struct pf_cgroup g;
	struct pf_error err = {0};
	(void)state;

	put(root, "proc/42/cgroup", "0::/../../elsewhere\n");
	put(root, "proc/42/mountinfo", "31 23 0:28 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n");
	assert_int_equal(pf_cgroup_read(&g, root, 42, &err), 0);
	assert_true(g.version == 0 && isnan(g.memory_limit) && isnan(g.cpu_limit));
	assert_int_equal(pf_cgroup_read(&g, root, 43, &err), PF_EIO);
	remove_root(root);
	assert_int_equal(pf_cgroup_read(&g, "", getpid(), &err), 0);
}

static void
pressure_is_read_as_shares(void **state)
{
	static const char text[] = "some avg10=1.50 avg60=0.25 avg300=0.00 total=2000000\n"
				   "full avg10=0.50 avg60=0.00 avg300=0.00 total=1\n";
	struct pf_buffer real = read_fixture("runtime/memory.pressure");
	struct pf_pressure p;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_pressure_parse(&p, "psi", text, sizeof text - 1, &err), 0);
	assert_true(p.some.avg10 == 0.015 && p.some.seconds == 2 && p.full.avg10 == 0.005);
	assert_int_equal(pf_pressure_parse(&p, "psi", real.bytes, real.size, &err), 0);
	assert_int_equal(pf_pressure_parse(&p, "psi", "some avg10=x\n", 13, &err), PF_EINPUT);
	assert_int_equal(pf_pressure_parse(&p, "psi", "", 0, &err), PF_EINPUT);
	pf_buffer_release(&real);
}

/* Of a process's children those that run what it runs, as a master's workers do: not what it calls for help. */
static void
workers_are_told_from_helpers(void **state)
{
	pid_t worker = fork(), helper, first = 0;
	(void)state;

	if (worker == 0) {
		pause();
		_exit(0);
	}
	helper = fork();
	if (helper == 0) {
		execlp("sleep", "sleep", "60", (char *)NULL);
		_exit(1);
	}
	for (int i = 0; i < 500 && pf_proc_workers(getpid(), &first) != 1; i++)
		usleep(10000); /* until the helper has its own program */
	if (access("/proc/thread-self/children", R_OK) == 0) { /* as the kernel was built */
		assert_int_equal(pf_proc_workers(getpid(), &first), 1);
		assert_int_equal(first, worker);
	}
	assert_int_equal(pf_proc_workers(worker, &first), 0);
	kill(worker, SIGKILL);
	kill(helper, SIGKILL);
	waitpid(worker, NULL, 0);
	waitpid(helper, NULL, 0);
}

/* A stack has a page below it that nobody may touch; what an arena has for later is large, and files have names. */
static void
stacks_are_known_by_the_page_below_them(void **state)
{
	static const char smaps[] =
	    "7f0000000000-7f0000001000 ---p 00000000 00:00 0 \n"
	    "Rss:                   0 kB\n"
	    "7f0000001000-7f0000801000 rw-p 00000000 00:00 0 \n"
	    "Rss:                 100 kB\n"
	    "Pss:                 100 kB\n"
	    "7f0000801000-7f0000901000 rw-p 00000000 00:00 0 \n"
	    "Rss:                 900 kB\n"
	    "7f0010000000-7f0013000000 ---p 00000000 00:00 0 \n"
	    "Rss:                   0 kB\n"
	    "7f0013000000-7f0014000000 rw-p 00000000 00:00 0 \n"
	    "Rss:                9000 kB\n"
	    "7f0020000000-7f0020001000 ---p 00000000 08:01 77    /usr/lib/libx.so\n"
	    "Rss:                   0 kB\n"
	    "7f0020001000-7f0020002000 rw-p 00001000 08:01 77    /usr/lib/libx.so\n"
	    "Rss:                   4 kB\n"
	    "7f0030000000-7f0030001000 ---p 00000000 00:00 0\n"
	    "Rss:                   0 kB\n"
	    "7f0030001000-7f0030801000 rw-p 00000000 00:00 0\n"
	    "Rss:                  28 kB\n";
	struct pf_proc p;
	(void)state;

	pf_proc_init(&p);
	assert_true(isnan(p.stacks));
	pf_proc_find_stacks(&p, smaps, sizeof smaps - 1);
	assert_true(p.stacks == 128 * 1024);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(status_and_smaps_of_one_process_agree),
	    cmocka_unit_test(a_stat_line_survives_any_name),
	    cmocka_unit_test(stacks_are_known_by_the_page_below_them),
	    cmocka_unit_test(a_living_process_is_read_whole),
	    cmocka_unit_test(workers_are_told_from_helpers),
	    cmocka_unit_test(variables_of_an_environment_are_found_whole),
	    cmocka_unit_test(the_lowest_limit_on_the_path_counts),
	    cmocka_unit_test(the_first_version_is_read_where_controllers_are_there),
	    cmocka_unit_test(no_group_is_no_error_and_no_process_is),
	    cmocka_unit_test(pressure_is_read_as_shares),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
