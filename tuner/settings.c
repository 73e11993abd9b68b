/*
 * settings.c: the grid. Presets are those of the allocators' own tuning guides,
 * the single knobs around them, and what measurements elsewhere found to matter;
 * combinations that have always hurt (a background thread with a decay of 0)
 * are left out. CPUS stands for the number of processors.
 */
#include "tuner/settings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/file.h"
#include "core/lines.h"

enum { MOST_PROGRAM = 256 << 20 };

struct entry {
	enum pf_allocator allocator;
	const char *name;
	const char *variable; /* NULL: the allocator's defaults */
};

static const struct entry entries[] = {
    {PF_ALLOCATOR_GLIBC, "", NULL},
    {PF_ALLOCATOR_GLIBC, "arenas 1", "MALLOC_ARENA_MAX=1"},
    {PF_ALLOCATOR_GLIBC, "arenas 2", "MALLOC_ARENA_MAX=2"},
    {PF_ALLOCATOR_GLIBC, "arenas 4", "MALLOC_ARENA_MAX=4"},
    {PF_ALLOCATOR_GLIBC, "trim 128K", "GLIBC_TUNABLES=glibc.malloc.trim_threshold=131072"},
    {PF_ALLOCATOR_GLIBC, "arenas 1, trim 128K",
	"GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.trim_threshold=131072"},
    {PF_ALLOCATOR_GLIBC, "mmap 32M, trim 256M",
	"GLIBC_TUNABLES=glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold="
	"268435456"},
    {PF_ALLOCATOR_GLIBC, "arenas 1, mmap 32M, trim 256M",
	"GLIBC_TUNABLES=glibc.malloc.arena_max=1:glibc.malloc.mmap_threshold=33554432:"
	"glibc.malloc.trim_threshold=268435456"},
    {PF_ALLOCATOR_GLIBC, "mmap 128K", "GLIBC_TUNABLES=glibc.malloc.mmap_threshold=131072"},
    {PF_ALLOCATOR_GLIBC, "tcache x 16", "GLIBC_TUNABLES=glibc.malloc.tcache_count=16"},
    {PF_ALLOCATOR_GLIBC, "tcache x 127", "GLIBC_TUNABLES=glibc.malloc.tcache_count=127"},
    {PF_ALLOCATOR_GLIBC, "huge pages", "GLIBC_TUNABLES=glibc.malloc.hugetlb=1"},
    {PF_ALLOCATOR_JEMALLOC, "", NULL},
    {PF_ALLOCATOR_JEMALLOC, "background", "MALLOC_CONF=background_thread:true,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "background, decay 1s",
	"MALLOC_CONF=background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "CPU preset",
	"MALLOC_CONF=background_thread:true,metadata_thp:auto,dirty_decay_ms:30000,muzzy_decay_ms:"
	"30000,"
	"abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "memory preset",
	"MALLOC_CONF=background_thread:true,tcache_max:4096,dirty_decay_ms:5000,muzzy_decay_ms:"
	"5000,"
	"narenas:CPUS,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "decay 1s",
	"MALLOC_CONF=dirty_decay_ms:1000,muzzy_decay_ms:0,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "decay 0",
	"MALLOC_CONF=dirty_decay_ms:0,muzzy_decay_ms:0,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "arenas 1", "MALLOC_CONF=narenas:1,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "arenas 2", "MALLOC_CONF=narenas:2,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "arenas 2, decay 1s",
	"MALLOC_CONF=narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "arena per CPU", "MALLOC_CONF=percpu_arena:percpu,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "huge pages",
	"MALLOC_CONF=thp:always,metadata_thp:auto,abort_conf:true"},
    {PF_ALLOCATOR_JEMALLOC, "minimum",
	"MALLOC_CONF=narenas:1,tcache:false,dirty_decay_ms:0,muzzy_decay_ms:0,abort_conf:true"},
    {PF_ALLOCATOR_TCMALLOC, "", NULL},
    {PF_ALLOCATOR_TCMALLOC, "cache 4M", "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=4194304"},
    {PF_ALLOCATOR_TCMALLOC, "cache 8M", "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=8388608"},
    {PF_ALLOCATOR_TCMALLOC, "cache 64M", "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=67108864"},
    {PF_ALLOCATOR_TCMALLOC, "cache 128M", "TCMALLOC_MAX_TOTAL_THREAD_CACHE_BYTES=134217728"},
    {PF_ALLOCATOR_TCMALLOC, "release 10", "TCMALLOC_RELEASE_RATE=10"},
    {PF_ALLOCATOR_TCMALLOC, "no release", "TCMALLOC_RELEASE_RATE=0"},
    {PF_ALLOCATOR_TCMALLOC, "decommit", "TCMALLOC_AGGRESSIVE_DECOMMIT=true"},
    {PF_ALLOCATOR_MIMALLOC, "", NULL},
    {PF_ALLOCATOR_MIMALLOC, "decommit at once", "MIMALLOC_DECOMMIT_DELAY=0"},
    {PF_ALLOCATOR_MIMALLOC, "decommit after 1s", "MIMALLOC_DECOMMIT_DELAY=1000"},
    {PF_ALLOCATOR_MIMALLOC, "no decommit", "MIMALLOC_ALLOW_DECOMMIT=0"},
    {PF_ALLOCATOR_MIMALLOC, "page reset", "MIMALLOC_PAGE_RESET=1"},
    {PF_ALLOCATOR_MIMALLOC, "large pages", "MIMALLOC_LARGE_OS_PAGES=1"},
    {PF_ALLOCATOR_MIMALLOC, "lazy commit", "MIMALLOC_EAGER_COMMIT=0"},
    {PF_ALLOCATOR_MIMALLOC, "reset abandoned", "MIMALLOC_ABANDONED_PAGE_RESET=1"},
};

static const int gogc[] = {20, 25, 30, 40, 50, 60, 75, 90, 100, 115, 130, 150, 175, 200, 250, 300,
    400, 500, 600, 800, 1000};

const char *
pf_allocator_library(enum pf_allocator allocator)
{
	static const char *const folders[] = {"/usr/lib/x86_64-linux-gnu",
	    "/usr/lib/aarch64-linux-gnu", "/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
	    "/usr/local/lib", "/usr/lib64", "/usr/lib"};
	static const char *const names[PF_ALLOCATORS][5] = {
	    [PF_ALLOCATOR_GLIBC] = {"libc.so.6"},
	    [PF_ALLOCATOR_JEMALLOC] = {"libjemalloc.so.2"},
	    [PF_ALLOCATOR_TCMALLOC] = {"libtcmalloc_minimal.so.4", "libtcmalloc.so.4"},
	    [PF_ALLOCATOR_MIMALLOC] = {"libmimalloc.so.3", "libmimalloc.so.2", "libmimalloc.so.2.0",
		"libmimalloc.so"},
	};
	static char path[256];

	for (size_t f = 0; f < sizeof folders / sizeof *folders; f++) {
		for (size_t n = 0; n < 5 && names[allocator][n]; n++) {
			snprintf(path, sizeof path, "%s/%s", folders[f], names[allocator][n]);
			if (access(path, R_OK) == 0)
				return path;
		}
	}
	return NULL;
}

/* The file of a command's first word, searched as a shell would. */
static bool
find_file(const char *command, char *path, size_t room)
{
	const char *search = getenv("PATH");
	char word[1024];
	size_t size;

	command += strspn(command, " \t");
	size = strcspn(command, " \t;|&<>$`'\"");
	if (!size || size >= sizeof word)
		return false;
	snprintf(word, sizeof word, "%.*s", (int)size, command);
	if (strchr(word, '/')) {
		snprintf(path, room, "%s", word);
		return access(path, R_OK) == 0;
	}
	while (search && *search) {
		size = strcspn(search, ":");
		snprintf(path, room, "%.*s/%s", (int)size, search, word);
		if (access(path, X_OK) == 0)
			return true;
		search += size + (search[size] == ':');
	}
	return false;
}

/*
 * Go's build information (debug/buildinfo): after 32 bytes, of which the 16th has
 * the bit 2 if texts follow in line (Go 1.18 and later), a length and "go1.26.1".
 */
static void
find_go(struct pf_program *p, const struct pf_text *t)
{
	const char *at = pf_text_find(t, "\xff Go buildinf:");
	unsigned minor;

	p->go = at != NULL;
	if (!at || t->end - at < 48 || !(at[15] & 2) || memcmp(at + 33, "go1.", 4) != 0)
		return;
	minor = (unsigned)strtoul(at + 37, NULL, 10);
	p->go_version = minor < 100 ? 100 + minor : 0;
}

void
pf_program_inspect(struct pf_program *p, const char *command)
{
	struct pf_buffer bytes;
	struct pf_text t;
	char path[4096];

	*p = (struct pf_program){.libc = true, .allocator = PF_ALLOCATOR_GLIBC};
	pf_buffer_init(&bytes, MOST_PROGRAM);
	if (find_file(command, path, sizeof path) && pf_file_read(path, &bytes, NULL) == 0 &&
	    pf_is_program(bytes.bytes, bytes.size)) {
		t = pf_text_of((const char *)bytes.bytes, bytes.size);
		p->found = true;
		find_go(p, &t);
		p->libc = pf_text_find(&t, "libc.so.6") != NULL;
		if (pf_text_find(&t, "libjemalloc.so"))
			p->allocator = PF_ALLOCATOR_JEMALLOC;
		else if (pf_text_find(&t, "libtcmalloc"))
			p->allocator = PF_ALLOCATOR_TCMALLOC;
		else if (pf_text_find(&t, "libmimalloc.so"))
			p->allocator = PF_ALLOCATOR_MIMALLOC;
	}
	pf_buffer_release(&bytes);
}

static void
add_variable(struct pf_setting *s, const char *text)
{
	char *to = s->variables[s->variable_count++];
	const char *cpus = strstr(text, "CPUS");

	if (cpus)
		snprintf(to, PF_VARIABLE_ROOM, "%.*s%ld%s", (int)(cpus - text), text,
		    sysconf(_SC_NPROCESSORS_ONLN), cpus + 4);
	else
		snprintf(to, PF_VARIABLE_ROOM, "%s", text);
}

/* Before what is preloaded today. */
static void
add_preload(struct pf_setting *s, const char *library)
{
	const char *today = getenv("LD_PRELOAD");
	char text[PF_VARIABLE_ROOM];

	snprintf(text, sizeof text, "LD_PRELOAD=%s%s%s", library, today && *today ? ":" : "",
	    today ? today : "");
	add_variable(s, text);
}

static bool
wanted(const char *only, enum pf_allocator allocator)
{
	const char *name = pf_allocator_name(allocator);

	if (!only)
		return true;
	for (const char *at = only; *at; at += strcspn(at, ",")) {
		at += *at == ',';
		if (strncmp(at, name, strlen(name)) == 0 && strchr(",", at[strlen(name)]))
			return true;
	}
	return false;
}

static int
check_names(const char *only, struct pf_error *err)
{
	for (const char *at = only; at && *at; at += strcspn(at, ",")) {
		bool known = false;

		at += *at == ',';
		for (int a = PF_ALLOCATOR_GLIBC; a < PF_ALLOCATORS; a++)
			known |=
			    strncmp(at, pf_allocator_name((enum pf_allocator)a),
				strcspn(at, ",")) == 0 &&
			    strlen(pf_allocator_name((enum pf_allocator)a)) == strcspn(at, ",");
		if (!known)
			return pf_error_set(err, PF_EUSAGE,
			    "--allocators %s: there are glibc, jemalloc, tcmalloc, mimalloc and go",
			    only);
	}
	return 0;
}

static struct pf_setting *
new_setting(struct pf_setting *settings, size_t *count, enum pf_allocator allocator)
{
	struct pf_setting *s = &settings[(*count)++];

	*s = (struct pf_setting){.allocator = allocator};
	return s;
}

/* As it is set for the command now; 100 where it is not set, 0 where it is off. */
static double
today_gogc(void)
{
	const char *today = getenv("GOGC");

	return today && *today ? fmax(0, strtod(today, NULL)) : 100;
}

/* Whether Linux gives huge pages without being asked: then Go's heap has them. */
static bool
huge_pages_always(void)
{
	struct pf_buffer bytes;
	bool always;

	pf_buffer_init(&bytes, 256);
	always = pf_file_read("/sys/kernel/mm/transparent_hugepage/enabled", &bytes, NULL) == 0 &&
		 bytes.size >= 8 && memcmp(bytes.bytes, "[always]", 8) == 0;
	pf_buffer_release(&bytes);
	return always;
}

/* One word more in GODEBUG, beside those of today. */
static void
add_debug(struct pf_setting *s, const char *word)
{
	const char *today = getenv("GODEBUG");
	char text[PF_VARIABLE_ROOM];

	snprintf(text, sizeof text, "GODEBUG=%s%s%s", today && *today ? today : "",
	    today && *today ? "," : "", word);
	add_variable(s, text);
}

static void
add_go(struct pf_setting *settings, size_t *count, int percent, const char *debug, unsigned series,
    double memory_limit)
{
	struct pf_setting *s = new_setting(settings, count, PF_ALLOCATOR_GO);
	char text[48];
	size_t size;

	s->dial = percent;
	s->series = series;
	snprintf(text, sizeof text, "GOGC=%d", percent);
	add_variable(s, text);
	snprintf(s->name, sizeof s->name, "%s", text);
	if (isfinite(memory_limit)) {
		snprintf(text, sizeof text, "GOMEMLIMIT=%.0fMiB", memory_limit * 0.9 / (1 << 20));
		add_variable(s, text);
		size = strlen(s->name);
		snprintf(s->name + size, sizeof s->name - size, " %s", text);
	}
	if (debug) {
		add_debug(s, debug);
		size = strlen(s->name);
		snprintf(s->name + size, sizeof s->name - size, " %s", debug);
	}
}

/*
 * GOGC by steps of a sixth to a third, each also with pages given back lazily (Go
 * 1.16 and later), and without huge pages where the kernel gives them to everybody
 * (Go 1.22: 1.21 learned it in a patch release). GOMAXPROCS is left alone: fewer
 * processors cost throughput, which a benchmark's CPU time does not show.
 */
static void
list_go(struct pf_setting *settings, size_t *count, const struct pf_program *p, double memory_limit)
{
	const char *debug[3] = {NULL};
	unsigned kinds = 1;

	if (p->go_version >= 116)
		debug[kinds++] = "madvdontneed=0";
	if (p->go_version >= 122 && huge_pages_always())
		debug[kinds++] = "disablethp=1";
	for (unsigned k = 0; k < kinds; k++) {
		for (size_t i = 0; i < sizeof gogc / sizeof *gogc; i++) {
			if (gogc[i] != 100 || debug[k] || isfinite(memory_limit))
				add_go(settings, count, gogc[i], debug[k], k, memory_limit);
		}
	}
}

static void
list_allocators(
    struct pf_setting *settings, size_t *count, const struct pf_program *p, const char *only)
{
	for (size_t i = 0; i < sizeof entries / sizeof *entries; i++) {
		const struct entry *e = &entries[i];
		bool own = e->allocator == p->allocator;
		const char *library = own ? NULL : pf_allocator_library(e->allocator);
		struct pf_setting *s;

		/* Today's allocator with its defaults is today's setting. */
		if (!wanted(only, e->allocator) || (!own && !library) || (own && !e->variable))
			continue;
		s = new_setting(settings, count, e->allocator);
		snprintf(s->name, sizeof s->name, "%s%s%s", pf_allocator_name(e->allocator),
		    *e->name ? " " : "", e->name);
		if (library)
			add_preload(s, library);
		if (e->variable)
			add_variable(s, e->variable);
	}
}

int
pf_settings_list(struct pf_setting *settings, size_t *count, const struct pf_program *p,
    const char *only, double memory_limit, struct pf_error *err)
{
	int rc = check_names(only, err);

	*count = 0;
	if (rc)
		return rc;
	snprintf(new_setting(settings, count, p->go ? PF_ALLOCATOR_GO : p->allocator)->name,
	    sizeof settings->name, "today");
	settings->dial = p->go ? today_gogc() : 0;
	if (p->go && wanted(only, PF_ALLOCATOR_GO))
		list_go(settings, count, p, memory_limit);
	else if (!p->go && p->libc)
		list_allocators(settings, count, p, only);
	if (*count < 2)
		return pf_error_set(err, PF_EINPUT,
		    p->libc || p->go
			? "there is nothing to try: none of these allocators is installed"
			: "the program is linked statically: no other allocator can be put before "
			  "its own");
	return 0;
}
