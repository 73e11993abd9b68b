/* Findings are as sure and as severe as the evidence carries, and what it leaves open is said. */
#include <profuse/tune.h>

#include <math.h>

#include "profile/encode.h"
#include "support/built_profile.h"
#include "support/labelled_profile.h"

static const struct pf_finding *
found(const struct pf_tune *tune, const char *kind)
{
	const struct pf_finding *finding = find_finding(tune, kind);

	if (!finding)
		fail_msg("no %s", kind);
	return finding;
}

static bool
is_advised(const struct pf_tune *tune, const struct pf_finding *finding, const char *words)
{
	const struct pf_findings *f = &tune->findings;

	for (size_t i = 0; i < finding->advice_count; i++) {
		const struct pf_advice *a = &f->advices[finding->first_advice + i];
		if (strstr(pf_said(f, a->action), words) || strstr(pf_said(f, a->setting), words) ||
		    strstr(pf_said(f, a->how), words))
			return true;
	}
	return false;
}

/*
 * 600,000 rows of which every 300th stayed, most of the rest in fast bins and between them: malloc_trim took what was
 * resident from 207 MB to 13.9 MB.
 */
static void
what_lies_in_fast_bins_is_free(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	const struct pf_number *back;
	size_t measures = 0;
	(void)state;

	add_fixture(tune, "runtime/glibc-fast.malloc_info.xml", false);
	add_fixture(tune, "runtime/glibc-fast.smaps_rollup", false);
	run_tune(tune);
	finding = found(tune, "unreturned-memory");
	assert_null(find_finding(tune, "fragmentation"));
	assert_true(is_advised(tune, finding, "malloc_trim(0)"));
	assert_int_equal(finding->confidence, PF_CONFIDENCE_MEDIUM);
	/* So wide apart that nothing is promised of what remains. */
	back = find_number(tune, finding, "releasable");
	assert_true(back->low <= 193e6 && 193e6 <= back->high);
	assert_true(back->low > 0.75 * 207e6);
	assert_float_equal(finding->bytes_saved, back->low, 1);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), " to "));
	for (size_t i = 0; i < finding->prediction_count; i++) {
		const struct pf_prediction *p =
		    &tune->findings.predictions[finding->first_prediction + i];
		assert_true(p->measure && isnan(p->after));
		measures += strcmp(pf_said(&tune->findings, p->metric), "rss_idle") == 0;
	}
	assert_int_equal(measures, 1);
	pf_tune_free(tune);
}

/* Where as much lives between the pieces as between pages, it is not free for sure, nor lost. */
static void
what_may_join_is_not_surely_lost(void **state)
{
	static const char text[] =
	    "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n"
	    "<size from=\"49\" to=\"64\" total=\"64000000\" count=\"1000000\"/>\n"
	    "<unsorted from=\"145\" to=\"600\" total=\"80000000\" count=\"300000\"/>\n</sizes>\n"
	    "<total type=\"fast\" count=\"1000000\" size=\"64000000\"/>\n"
	    "<total type=\"rest\" count=\"300000\" size=\"80000000\"/>\n"
	    "<system type=\"current\" size=\"224000000\"/>\n</heap>\n</malloc>\n";
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	const struct pf_number *lost;
	(void)state;

	add_text(tune, "malloc_info", text, false);
	run_tune(tune);
	finding = found(tune, "fragmentation");
	assert_int_equal(finding->confidence, PF_CONFIDENCE_LOW);
	/* All of it at most; hardly any, where the small pieces join the greater ones. */
	lost = find_number(tune, finding, "fragmented");
	assert_float_equal(lost->value, 144e6, 1000);
	assert_true(lost->low < 1e6 && lost->high == lost->value);
	assert_non_null(strstr(pf_said(&tune->findings, finding->title), "or lie between"));
	assert_true(is_advised(tune, finding, "malloc_trim(0)"));
	pf_tune_free(tune);
}

/* Of 64-byte pieces only: all of it may join. What is allocated and freed as often while one looks is room in use. */
static void
what_may_join_and_is_needed_again_is_no_finding(void **state)
{
	static const char text[] =
	    "<malloc version=\"1\">\n<heap nr=\"0\">\n<sizes>\n"
	    "<size from=\"49\" to=\"64\" total=\"25600000\" count=\"400000\"/>\n"
	    "<unsorted from=\"145\" to=\"1600\" total=\"4000000\" count=\"4000\"/>\n</sizes>\n"
	    "<total type=\"fast\" count=\"400000\" size=\"25600000\"/>\n"
	    "<total type=\"rest\" count=\"4000\" size=\"4000000\"/>\n"
	    "<system type=\"current\" size=\"60000000\"/>\n</heap>\n</malloc>\n";
	static const char *const types[] = {"alloc_space", "bytes", "inuse_space", "bytes", NULL};
	static const int64_t rates[] = {20000000, 2000000}; /* bytes a snapshot */
	(void)state;

	for (size_t i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();

		for (int64_t k = 0; k < 5; k++) {
			const struct test_sample heap[] = {
			    {{"parse", "reload", "main"}, {30000000 + rates[i] * k, 30000000},
				{{0}}},
			    {{NULL}, {0}, {{0}}}};
			add_labelled(tune, types, heap, 0, 1000 + 3 * k, false);
		}
		add_text(tune, "malloc_info", text, false);
		run_tune(tune);
		assert_int_equal(find_finding(tune, "fragmentation") != NULL, i == 1);
		pf_tune_free(tune);
	}
}

static const char status[] =
    "Name:\tservice\nTgid:\t7\nVmRSS:\t  111616 kB\nRssAnon:\t  109000 kB\nThreads:\t7\n";

/* As many arenas as threads: none is shared, and more or fewer of them are no cure. */
static void
arenas_are_not_advised_where_none_is_shared(void **state)
{
	struct pf_tune *shared = new_tune();
	char text[2048] = "<malloc version=\"1\">\n";
	(void)state;

	for (int i = 0; i < 6; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
		    "<heap nr=\"%d\">\n<sizes>\n</sizes>\n"
		    "<total type=\"fast\" count=\"0\" size=\"0\"/>\n"
		    "<total type=\"rest\" count=\"1\" size=\"1000\"/>\n"
		    "<system type=\"current\" size=\"135168\"/>\n</heap>\n",
		    i);
	snprintf(text + strlen(text), sizeof text - strlen(text), "</malloc>\n");
	/* By the number of threads, and by what the environment does not limit. */
	for (int i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();

		tune->evidence.has_environment = i;
		tune->evidence.cpus = 2;
		add_fixture(tune, "tune/arenas/wall.pb.gz", false);
		if (!i)
			add_text(tune, "status", status, false);
		add_text(tune, "malloc_info", text, false);
		run_tune(tune);
		assert_false(is_advised(tune, found(tune, "arena-contention"), "MALLOC_ARENA_MAX"));
		assert_true(
		    is_advised(tune, found(tune, "arena-contention"), "that allocated them"));
		pf_tune_free(tune);
	}
	add_fixture(shared, "tune/arenas/wall.pb.gz", false);
	add_fixture(shared, "tune/arenas/malloc_info.xml", false);
	run_tune(shared);
	assert_true(is_advised(shared, found(shared, "arena-contention"), "MALLOC_ARENA_MAX"));
	pf_tune_free(shared);
}

/* As many arenas as there may be: that there are no more threads today says nothing of when there were more. */
static void
arenas_may_be_shared_where_there_may_be_no_more(void **state)
{
	static const struct {
		int arenas; /* of which there may be 8, on one processor, beside six threads */
		const char *told;
		bool advised;
	} cases[] = {{6, "", false}, {8, "", true}, {6, "6", true}, {6, "7", false}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;
		char text[4096] = "<malloc version=\"1\">\n";

		for (int k = 0; k < cases[i].arenas; k++)
			snprintf(text + strlen(text), sizeof text - strlen(text),
			    "<heap nr=\"%d\">\n<sizes>\n</sizes>\n"
			    "<total type=\"rest\" count=\"1\" size=\"1000\"/>\n"
			    "<system type=\"current\" size=\"135168\"/>\n</heap>\n",
			    k);
		snprintf(text + strlen(text), sizeof text - strlen(text), "</malloc>\n");
		tune->evidence.cpus = 1;
		snprintf(
		    tune->evidence.arena_max, sizeof tune->evidence.arena_max, "%s", cases[i].told);
		add_fixture(tune, "tune/arenas/wall.pb.gz", false);
		add_text(tune, "status", "Name:\tservice\nTgid:\t7\nThreads:\t6\n", false);
		add_text(tune, "malloc_info", text, false);
		run_tune(tune);
		finding = found(tune, "arena-contention");
		assert_int_equal(is_advised(tune, finding, "MALLOC_ARENA_MAX"), cases[i].advised);
		assert_int_equal(
		    is_advised(tune, finding, "Probably no thread"), !cases[i].advised);
		pf_tune_free(tune);
	}
}

/* Who frees its own blocks and waits for an arena shares it, however few threads were seen in a lull. */
static void
threads_that_free_their_own_share_arenas(void **state)
{
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		tune->evidence.has_environment = true;
		tune->evidence.cpus = 2;
		add_fixture(tune, "tune/arenas/wall.pb.gz", false);
		add_fixture(tune, "tune/own-arenas/malloc_info.xml", false);
		add_fixture(
		    tune, i ? "tune/own-frees/frees.pb.gz" : "tune/crossing/frees.pb.gz", false);
		add_text(tune, "status", "Name:\tservice\nTgid:\t7\nThreads:\t2\n", false);
		run_tune(tune);
		finding = found(tune, "arena-contention");
		assert_int_equal(is_advised(tune, finding, "MALLOC_ARENA_MAX"), i);
		assert_int_equal(is_advised(tune, finding, "Probably no thread"), !i);
		pf_tune_free(tune);
	}
}

/* What is set already is what a change is undone to. */
static void
arenas_are_undone_to_what_was_set(void **state)
{
	struct pf_tune *tune = new_tune();
	const struct pf_finding *finding;
	const struct pf_advice *a;
	(void)state;

	snprintf(tune->evidence.arena_max, sizeof tune->evidence.arena_max, "1");
	add_fixture(tune, "tune/arenas/wall.pb.gz", false);
	add_fixture(tune, "tune/arenas/malloc_info.xml", false);
	run_tune(tune);
	finding = found(tune, "arena-contention");
	a = &tune->findings.advices[finding->first_advice];
	assert_non_null(strstr(pf_said(&tune->findings, a->undo), "MALLOC_ARENA_MAX=1"));
	pf_tune_free(tune);
}

/* glibc maps blocks of 32 MiB and more whatever its threshold. */
static void
thresholds_are_not_advised_for_blocks_beyond_them(void **state)
{
	static const char *const heaps[] = {
	    "heap profile: 1: 39845888 [100: 3984588800] @ heapprofile\n"
	    "1: 39845888 [100: 3984588800] @ 0x1000\n",
	    "heap profile: 1: 1048576 [100: 104857600] @ heapprofile\n"
	    "1: 1048576 [100: 104857600] @ 0x1000\n",
	    /* ends of heaps of small blocks go back: no threshold of mapping has to do with it */
	    "heap profile: 1: 2048 [51200: 104857600] @ heapprofile\n"
	    "1: 2048 [51200: 104857600] @ 0x1000\n"};
	(void)state;

	for (int i = 0; i < 3; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;

		add_fixture(tune, "tune/mapping/cpu.pb.gz", false);
		add_text(tune, "heap", heaps[i], false);
		run_tune(tune);
		finding = found(tune, "malloc-thresholds");
		assert_int_equal(is_advised(tune, finding, "mmap_threshold"), i == 1);
		assert_int_equal(is_advised(tune, finding, "trim_threshold"), i > 0);
		assert_true(is_advised(tune, finding, "euse the buffers"));
		pf_tune_free(tune);
	}
}

/* So many samples of 10 ms in 8 seconds. */
static void
add_cpu(struct pf_tune *tune, int64_t samples)
{
	static const struct test_profile_kind kind = {
	    {"samples", "cpu"}, {"count", "nanoseconds"}, "cpu", "nanoseconds", 10000000};
	const struct test_row rows[] = {{"work", {samples, samples * 10000000}}, {NULL, {0}}};
	struct pf_profile *p = built_profile(&kind, rows);

	p->duration_nanos = 8000000000;
	add_built(tune, p, "cpu", false);
}

/* Sizes that caches don't fit cost nothing worth telling where next to no CPU is used, by too few samples for shares. */
static void
sizes_do_not_matter_where_little_cpu_is_used(void **state)
{
	(void)state;

	for (int busy = 0; busy < 2; busy++) {
		struct pf_tune *tune = new_tune();

		add_fixture(tune, "tune/packets/heap.pb.gz", false);
		add_fixture(tune, "tune/packets/malloc_info.xml", false);
		if (!busy)
			add_cpu(tune, 14);
		run_tune(tune);
		assert_int_equal(find_finding(tune, "malloc-thresholds") != NULL, busy);
		pf_tune_free(tune);
	}
}

/* Without a word of the allocator's: 109 MB resident, 1 MiB in use, 90 MiB allocated in all. */
static void
what_is_resident_and_not_in_use_is_told(void **state)
{
	static const char *const in_use[] = {"1: 1048576", "1: 104857600"};
	(void)state;

	for (int i = 0; i < 2; i++) {
		struct pf_tune *tune = new_tune();
		char text[512];

		snprintf(text, sizeof text,
		    "heap profile: %s [10: 94371840] @ heapprofile\n"
		    "%s [10: 94371840] @ 0x1000\n\nMAPPED_LIBRARIES:\n"
		    "00001000-00002000 r-xp 00000000 fe:01 1 /srv/service\n"
		    "7f0000000000-7f0000100000 r-xp 00000000 fe:01 2 /usr/lib/libmimalloc.so.2.0\n",
		    in_use[i], in_use[i]);
		add_text(tune, "heap", text, false);
		add_text(tune, "status", status, false);
		run_tune(tune);
		if (i) {
			assert_null(find_finding(tune, "unreturned-memory"));
		} else {
			const struct pf_finding *finding = found(tune, "unreturned-memory");
			assert_int_equal(finding->confidence, PF_UNSURE);
			assert_true(is_advised(tune, finding, "MIMALLOC_DECOMMIT_DELAY=0"));
			assert_true(is_advised(tune, finding, "MIMALLOC_PURGE_DELAY=0"));
		}
		pf_tune_free(tune);
	}
}

static void
the_kernels_figures_alone_judge_little(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_text(tune, "status", status, false);
	run_tune(tune);
	assert_int_equal(pf_tune_finding_count(tune), 0);
	assert_true(is_unjudged(tune, "No profile and no allocator's statistics"));
	pf_tune_free(tune);
	/* Nor a process whose settings nobody may read, or that leaves the work to others. */
	tune = new_tune();
	add_text(tune, "status", status, false);
	tune->evidence.process = 7;
	tune->evidence.worker = 8;
	tune->evidence.workers = 3;
	run_tune(tune);
	assert_true(is_unjudged(tune, "The environment of process 7 can't be read"));
	assert_true(is_unjudged(tune, "Process 7 has 3 child processes of the same program"));
	assert_true(is_unjudged(tune, "--pid 8"));
	pf_tune_free(tune);
}

static void
a_base_that_is_younger_is_told_without_a_finding(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	add_fixture(tune, "tune/leak/heap-7.pb.gz", true);
	add_fixture(tune, "tune/leak/heap-0.pb.gz", false);
	run_tune(tune);
	assert_null(find_finding(tune, "leak"));
	assert_true(is_unjudged(tune, "the base is the younger one"));
	assert_true(is_unjudged(tune, "what was ever allocated falls"));
	pf_tune_free(tune);
}

/* A profile as if more time had gone by. */
static void
add_longer(struct pf_tune *tune, const char *fixture, int64_t duration)
{
	struct pf_buffer bytes = read_fixture(fixture), out = {.maximum = 1 << 22};
	struct pf_error err = {0};
	struct pf_profile *p;

	assert_int_equal(pf_profile_parse(&p, fixture, bytes.bytes, bytes.size, NULL, &err), 0);
	p->duration_nanos = duration;
	assert_int_equal(pf_profile_encode(p, &out, &err), 0);
	assert_int_equal(pf_tune_add(tune, fixture, out.bytes, out.size, false, &err), 0);
	pf_profile_free(p);
	pf_buffer_release(&bytes);
	pf_buffer_release(&out);
}

/* A cache whose entries live for a minute grows for its first minute as a leak does. */
static void
growth_of_a_young_process_is_unsure(void **state)
{
	static const struct {
		int64_t seconds;
		enum pf_confidence most, least;
	} cases[] = {{24, PF_UNSURE, PF_UNSURE}, {300, PF_CONFIDENCE_LOW, PF_CONFIDENCE_LOW},
	    {90000, PF_CONFIDENCE_HIGH, PF_CONFIDENCE_MEDIUM}};
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		struct pf_tune *tune = new_tune();
		const struct pf_finding *leak;

		for (int k = 1; k < 8; k++) {
			char name[64];
			snprintf(name, sizeof name, "tune/cpp-leak/heap-%d.pb.gz", k);
			add_longer(tune, name, cases[i].seconds * 1000000000);
		}
		run_tune(tune);
		leak = found(tune, "leak");
		assert_in_range(leak->confidence, cases[i].least, cases[i].most);
		assert_non_null(strstr(pf_said(&tune->findings, leak->summary), " over "));
		pf_tune_free(tune);
	}
}

/* Ten samples, then twenty: it may be five more by chance. */
static void
growth_that_may_be_nothing_is_unsure(void **state)
{
	struct pf_tune *tune = new_tune();
	(void)state;

	for (int i = 0; i < 6; i++) {
		char name[16], text[256];
		int n = 10 + 2 * i;

		snprintf(name, sizeof name, "heap-%d", i);
		snprintf(text, sizeof text,
		    "heap profile: %d: %d [%d: %d] @ heap_v2/524288\n%d: %d [%d: %d] @ 0x1000\n", n,
		    n * 64, n, n * 64, n, n * 64, n, n * 64);
		add_text(tune, name, text, false);
	}
	run_tune(tune);
	assert_int_equal(found(tune, "leak")->confidence, PF_UNSURE);
	pf_tune_free(tune);
}

/* It may walk a tree; then it costs what it calls for each part of it, which is said where that takes most. */
static void
a_recursion_is_unsure_whoever_takes_its_time(void **state)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const struct {
		const char *first, *second; /* in half of the samples each */
		const char *action;
	} cases[] = {{"emit", "emit", "Count calls of emit"},
	    {"escape", "escape", "Look at what emit calls"},
	    {"escape", "emit", "Count calls of emit"},
	    {"malloc", "free", "Look at what emit calls"}};
	(void)state;

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const struct test_sample samples[] = {
		    {{cases[i].first, "emit", "emit", "emit", "emit", "emit", "answer", "main"},
			{250, 2500000000LL}, {{0}}},
		    {{cases[i].second, "emit", "emit", "emit", "emit", "emit", "answer", "main"},
			{250, 2500000000LL}, {{0}}},
		    {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();
		const struct pf_finding *finding;
		const char *action;

		add_labelled(tune, types, samples, 10, 1000, false);
		run_tune(tune);
		finding = found(tune, "hot-recursion");
		assert_int_equal(finding->confidence, PF_UNSURE);
		action =
		    pf_said(&tune->findings, tune->findings.advices[finding->first_advice].action);
		assert_non_null(strstr(action, cases[i].action));
		assert_int_equal(finding->caveat_count, *action == 'L' ? 2 : 1);
		pf_tune_free(tune);
	}
}

/* The same shares of a twentieth of a core are worth little. */
static void
severity_is_by_the_cpu_that_is_used(void **state)
{
	struct pf_tune *busy = new_tune(), *idle = new_tune();
	(void)state;

	add_fixture(busy, "tune/recursion/cpu.pb.gz", false);
	run_tune(busy);
	assert_true(found(busy, "hot-recursion")->severity > PF_SEVERITY_LOW);
	/* Whether anything is computed twice the profile doesn't tell. */
	assert_int_equal(found(busy, "hot-recursion")->confidence, PF_UNSURE);
	assert_true(found(busy, "hot-recursion")->cpu_saved == 0);
	add_longer(idle, "tune/recursion/cpu.pb.gz", 3600000000000LL);
	run_tune(idle);
	assert_int_equal(found(idle, "hot-recursion")->severity, PF_SEVERITY_LOW);
	pf_tune_free(busy);
	pf_tune_free(idle);
}

/* No file has names for what lies in none. */
static void
code_of_no_file_gets_no_names(void **state)
{
	struct pf_buffer bytes = read_fixture("tune/mapping/cpu.pb.gz");
	struct pf_tune *tune = new_tune();
	struct pf_error err = {0};
	struct pf_profile *p;
	(void)state;

	assert_int_equal(pf_profile_parse(&p, "cpu", bytes.bytes, bytes.size, NULL, &err), 0);
	for (size_t i = 0; i < p->location_count; i++) {
		p->locations[i].mapping = PF_NONE;
		p->line_starts[i + 1] = 0;
	}
	assert_int_equal(pf_evidence_add_profile(&tune->evidence, p, "cpu", false, &err), 0);
	assert_int_equal(pf_tune_note(tune, "cpu", &err), 0);
	pf_buffer_release(&bytes);
	run_tune(tune);
	assert_true(is_unjudged(tune, "<unknown> 100.0 %"));
	assert_true(is_unjudged(tune, "Of <unknown> no file is known"));
	assert_false(is_unjudged(tune, "--binary FILE"));
	pf_tune_free(tune);
}

/* A flame graph of nothing is left out with a word. */
static void
a_graph_of_nothing_is_none(void **state)
{
	static const char text[] = "heap profile: 0: 0 [9: 9437184] @ heapprofile\n"
				   "0: 0 [9: 9437184] @ 0x1000\n";
	struct pf_tune *tune = new_tune();
	struct pf_buffer out;
	struct pf_error err = {0};
	(void)state;

	add_text(tune, "heap", text, false);
	run_tune(tune);
	pf_buffer_init(&out, PF_BUFFER_NO_MAXIMUM);
	assert_int_equal(pf_tune_html(tune, &out, &err), 0);
	assert_non_null(memmem(out.bytes, out.size, "\"empty\":\"Nothing of it is in heap.\"", 35));
	assert_null(memmem(out.bytes, out.size, "\"nodes\":[", 9));
	pf_buffer_release(&out);
	pf_tune_free(tune);
}

/* What the agent does for a sample of an allocation costs the service time, and none for its allocator. */
static void
what_the_agent_does_is_not_allocating(void **state)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	static const struct test_sample cpu[] = {
	    {{"syscall", "[libprofuse-agent.so]", "malloc", "make", "main"}, {600, 6000000000},
		{{0}}},
	    {{"hash", "main"}, {400, 4000000000}, {{0}}}, {{NULL}, {0}, {{0}}}};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_labelled(tune, types, cpu, 10, 1000, false);
	run_tune(tune);
	assert_null(find_finding(tune, "allocation-heavy"));
	pf_tune_free(tune);
}

/* A heap's end that is given back and touched again costs in malloc, hardly in giving back; one that only grows gives hardly any back. */
static void
touching_pages_again_is_told_from_growth(void **state)
{
	static const char *const types[] = {"samples", "count", "cpu", "nanoseconds", NULL};
	(void)state;

	for (int64_t back = 1; back <= 51; back += 50) {
		const struct test_sample cpu[] = {
		    {{"sysmalloc", "_int_malloc", "malloc", "make", "main"}, {900, 9000000000},
			{{0}}},
		    {{"madvise", "shrink_heap", "heap_trim", "_int_free", "free", "drop", "main"},
			{back, back * 10000000}, {{0}}},
		    {{"hash", "main"}, {50, 500000000}, {{0}}}, {{NULL}, {0}, {{0}}}};
		struct pf_tune *tune = new_tune();

		add_labelled(tune, types, cpu, 10, 1000, false);
		run_tune(tune);
		assert_int_equal(find_finding(tune, "malloc-thresholds") != NULL, back > 1);
		pf_tune_free(tune);
	}
}

/* Whoever waits for a signal waits for no other thread. */
static void
threads_in_pause_are_asleep(void **state)
{
	static const struct test_sample threads[] = {
	    {{"pause", "main"}, {1500, 0}, {{"wait", "pause", 0}}}, {{NULL}, {0}, {{0}}}};
	struct pf_tune *tune = new_tune();
	(void)state;

	add_labelled(tune, test_threads, threads, 0, 1000, false);
	run_tune(tune);
	assert_string_equal(pf_said(&tune->findings, found(tune, "thread-leak")->title),
	    "1500 threads are asleep in pause");
	pf_tune_free(tune);
}

/* However severe it would be. */
static void
what_is_hardly_sure_is_not_severe(void **state)
{
	struct pf_findings f;
	struct pf_error err = {0};
	(void)state;

	assert_int_equal(pf_findings_init(&f, &err), 0);
	pf_findings_add(&f, "guess", PF_SEVERITY_HIGH, PF_CONFIDENCE_LOW, 0);
	pf_findings_add(&f, "sure", PF_SEVERITY_MEDIUM, PF_CONFIDENCE_MEDIUM, 0);
	pf_findings_sort(&f);
	assert_string_equal(f.findings[0].kind, "sure");
	assert_int_equal(f.findings[1].severity, PF_SEVERITY_MEDIUM);
	pf_findings_release(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_lies_in_fast_bins_is_free),
	    cmocka_unit_test(what_may_join_is_not_surely_lost),
	    cmocka_unit_test(what_may_join_and_is_needed_again_is_no_finding),
	    cmocka_unit_test(arenas_are_not_advised_where_none_is_shared),
	    cmocka_unit_test(arenas_may_be_shared_where_there_may_be_no_more),
	    cmocka_unit_test(threads_that_free_their_own_share_arenas),
	    cmocka_unit_test(arenas_are_undone_to_what_was_set),
	    cmocka_unit_test(sizes_do_not_matter_where_little_cpu_is_used),
	    cmocka_unit_test(thresholds_are_not_advised_for_blocks_beyond_them),
	    cmocka_unit_test(what_is_resident_and_not_in_use_is_told),
	    cmocka_unit_test(the_kernels_figures_alone_judge_little),
	    cmocka_unit_test(a_base_that_is_younger_is_told_without_a_finding),
	    cmocka_unit_test(growth_of_a_young_process_is_unsure),
	    cmocka_unit_test(growth_that_may_be_nothing_is_unsure),
	    cmocka_unit_test(a_recursion_is_unsure_whoever_takes_its_time),
	    cmocka_unit_test(severity_is_by_the_cpu_that_is_used),
	    cmocka_unit_test(code_of_no_file_gets_no_names),
	    cmocka_unit_test(a_graph_of_nothing_is_none),
	    cmocka_unit_test(what_the_agent_does_is_not_allocating),
	    cmocka_unit_test(touching_pages_again_is_told_from_growth),
	    cmocka_unit_test(threads_in_pause_are_asleep),
	    cmocka_unit_test(what_is_hardly_sure_is_not_severe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
