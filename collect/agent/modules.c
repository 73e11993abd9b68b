/* modules.c: see modules.h. */
#include "collect/agent/modules.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "collect/agent/elf_memory.h"
#include "collect/agent/host.h"
#include "collect/agent/loader.h"
#include "core/memory.h"

enum {
	MOST_MAPPINGS = 1 << 16,
	MOST_TABLE = 32 << 20,   /* bytes of one module's unwind tables */
	MOST_TABLES = 128 << 20, /* of all */
	FORCE_EVERY = 250000000, /* ns between looks because of unknown addresses */
};

/* One line of /proc/self/maps. */
struct line {
	uint64_t start, limit, offset;
	char permissions[5];
	const char *file; /* into the text; "" for anonymous memory */
};

/* The whole of /proc/self/maps, NUL-terminated; the caller frees it. NULL on failure. */
static char *
read_maps(void)
{
	size_t capacity = 0, size = 0;
	char *text = NULL;
	ssize_t n = 1;
	int fd = open("/proc/thread-self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return NULL;
	while (n > 0 && size < (64 << 20)) {
		if (PF_GROW(text, capacity, size + 65537, NULL))
			break;
		n = read(fd, text + size, capacity - size - 1);
		size += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	if (text)
		text[size] = '\0';
	if (n != 0) {
		free(text);
		return NULL;
	}
	return text;
}

/* Takes one line apart; the text is cut into strings. False at the end. */
static bool
next_line(char **text, struct line *line)
{
	static const char deleted[] = " (deleted)";
	char *end = strchr(*text, '\n'), *at = *text;
	size_t size;
	int fields = 0;

	if (!end)
		return false;
	*end = '\0';
	*text = end + 1;
	line->start = strtoull(at, &at, 16);
	line->limit = *at == '-' ? strtoull(at + 1, &at, 16) : 0;
	snprintf(line->permissions, sizeof line->permissions, "%s", *at == ' ' ? at + 1 : "");
	at += *at == ' ' && strlen(at) > 5 ? 6 : 0;
	line->offset = strtoull(at, &at, 16);
	while (*at == ' ' && fields++ < 2) /* device, inode */
		at += 1 + strcspn(at + 1, " ");
	at += strspn(at, " ");
	size = strlen(at);
	if (size > sizeof deleted - 1 && !strcmp(at + size - (sizeof deleted - 1), deleted))
		at[size - (sizeof deleted - 1)] = '\0';
	line->file = at;
	return true;
}

static bool
same(const struct pf_mapping *mapping, const struct line *line, const char *file,
    const struct pf_mapping *fresh)
{
	return mapping->start == line->start && mapping->limit == line->limit &&
	       mapping->offset == line->offset && !strcmp(mapping->file, file) &&
	       !strcmp(mapping->build_id, fresh->build_id);
}

/* Marks the mapping of this line as present, adding it if it is new. */
static void
see(struct pf_modules *m, const struct line *line, uint64_t base, uint64_t main_text)
{
	const char *file = *line->file ? line->file : "//anon";
	struct pf_mapping fresh = {
	    .start = line->start,
	    .limit = line->limit,
	    .offset = line->offset,
	    .base = base,
	    .main = main_text >= line->start && main_text < line->limit,
	    .vdso = !strcmp(file, "[vdso]"),
	    .seen = true,
	    .born = m->look,
	};

	pf_elf_describe(&fresh);
	for (size_t i = 0; i < m->count; i++) {
		struct pf_mapping *known = &m->items[i];
		if (!same(known, line, file, &fresh))
			continue;
		if (known->retired) { /* the same file at the same place again */
			known->retired = 0;
			known->born = m->look;
		}
		known->seen = true;
		return;
	}
	if (m->count >= MOST_MAPPINGS || PF_GROW(m->items, m->capacity, m->count + 1, NULL))
		return;
	fresh.file = malloc(strlen(file) + 1);
	if (!fresh.file)
		return;
	memcpy(fresh.file, file, strlen(file) + 1);
	m->items[m->count++] = fresh;
}

static int
by_address(const void *a, const void *b, void *mappings)
{
	const struct pf_mapping *items = mappings;
	uint64_t x = items[*(const uint32_t *)a].start, y = items[*(const uint32_t *)b].start;

	return (x > y) - (x < y);
}

/* Retires what was not seen and lists what was. */
static void
settle(struct pf_modules *m)
{
	m->present_count = 0;
	if (PF_GROW(m->present, m->present_capacity, m->count, NULL))
		return;
	for (size_t i = 0; i < m->count; i++) {
		if (m->items[i].seen)
			m->present[m->present_count++] = (uint32_t)i;
		else if (!m->items[i].retired)
			m->items[i].retired = m->look;
		m->items[i].seen = false;
	}
	qsort_r(m->present, m->present_count, sizeof *m->present, by_address, m->items);
}

static uint32_t
find_present(const struct pf_modules *m, uint64_t pc)
{
	size_t low = 0, high = m->present_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (m->items[m->present[middle]].start <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == 0 || pc >= m->items[m->present[low - 1]].limit)
		return PF_NO_MAPPING;
	return m->present[low - 1];
}

struct list {
	struct pf_modules *modules;
	size_t count;
};

static void
see_object(size_t number, uint64_t text, void *data)
{
	struct list *list = data;
	uint32_t found = find_present(list->modules, text);

	list->count = number + 1;
	if (found != PF_NO_MAPPING)
		list->modules->items[found].place = list->count;
}

/* Whether each of the last `loaded` objects of the list is first seen now: none came and went unseen. */
static bool
all_seen(const struct pf_modules *m, size_t before, size_t loaded)
{
	for (size_t i = 0; i < m->present_count; i++) {
		const struct pf_mapping *mapping = &m->items[m->present[i]];
		loaded -= mapping->place > before && mapping->born == m->look;
	}
	return loaded == 0;
}

/*
 * Marks what may have had another's address between the last two looks: if
 * not every object that was loaded meanwhile is one of those first seen now,
 * all that has come or gone, and all that the loader's list does not have among
 * those of before. The list may lack what is there: a file is mapped before it
 * is in the list.
 */
static void
doubt(struct pf_modules *m, const struct pf_loader *old)
{
	struct list list = {.modules = m};
	struct pf_loader loader;
	unsigned long long loaded;
	size_t before = 0; /* so many of the list have been there since the last look */
	bool walked;

	for (size_t i = 0; i < m->count; i++)
		m->items[i].place = 0;
	walked = pf_loader_walk(&loader, see_object, &list);
	loaded = loader.adds - m->adds;
	if (walked && loaded <= list.count)
		before = list.count - (size_t)loaded;
	if (walked && loader.adds == old->adds && loader.subs == old->subs &&
	    loaded <= list.count && all_seen(m, before, (size_t)loaded))
		return;
	for (size_t i = 0; i < m->count; i++) {
		struct pf_mapping *mapping = &m->items[i];
		bool steady = mapping->main || mapping->vdso || !mapping->base ||
			      (mapping->place && mapping->place <= before);

		if (mapping->born == m->look || mapping->retired == m->look ||
		    (!mapping->retired && !steady))
			mapping->doubt = m->look;
	}
}

void
pf_modules_look(struct pf_modules *m)
{
	struct pf_loader loader;
	struct line line;
	char *text, *at, *file = NULL;
	uint64_t base = 0;
	uint64_t begun = 0; /* where the mappings of offset 0 end with which the file began */

	pf_loader_read(&loader);
	text = at = read_maps();
	if (!text)
		return;
	m->look++;
	while (next_line(&at, &line)) {
		if (*line.file && line.offset == 0 && line.permissions[0] == 'r') {
			/*
			 * Where an ELF file's header is mapped. The code of a small file may lie in
			 * its first page too, which is then mapped again, right behind.
			 */
			if (!file || strcmp(file, line.file) || line.start != begun)
				base = line.start;
			file = text + (line.file - text);
			begun = line.limit;
		} else if (!*line.file || !file || strcmp(file, line.file)) {
			file = NULL;
			base = 0;
		}
		if (line.permissions[2] == 'x' && line.permissions[0] == 'r')
			see(m, &line, base, loader.main_text);
	}
	free(text);
	settle(m);
	if (m->look > 1)
		doubt(m, &loader);
	m->adds = loader.adds;
	m->subs = loader.subs;
}

int
pf_modules_init(struct pf_modules *m)
{
	*m = (struct pf_modules){0};
	pf_modules_look(m);
	m->drained = m->look;
	if (m->present_count)
		return 0;
	pf_modules_release(m);
	return -EIO;
}

void
pf_modules_release(struct pf_modules *m)
{
	for (size_t i = 0; i < m->count; i++) {
		free(m->items[i].file);
		free(m->items[i].copy);
	}
	free(m->items);
	free(m->present);
	*m = (struct pf_modules){0};
}

bool
pf_modules_follow(struct pf_modules *m)
{
	if (!pf_loader_moved(m->adds, m->subs) || pf_host_confined())
		return false;
	pf_modules_look(m);
	return true;
}

void
pf_modules_drained(struct pf_modules *m, unsigned look)
{
	m->drained = look;
}

/* The one mapping that a sample at `pc` can have been in; *several: there is more than one. */
static uint32_t
find_owner(const struct pf_modules *m, uint64_t pc, bool *several)
{
	uint32_t owner = find_present(m, pc);
	bool found = owner != PF_NO_MAPPING;

	*several = false;
	if (m->drained == m->look ||
	    (found && m->items[owner].born <= m->drained && m->items[owner].doubt <= m->drained))
		return owner;
	for (size_t i = 0; i < m->count; i++) {
		const struct pf_mapping *mapping = &m->items[i];
		if (mapping->retired <= m->drained || pc < mapping->start || pc >= mapping->limit)
			continue;
		*several |= found;
		found = true;
		owner = (uint32_t)i;
	}
	*several |= found && m->items[owner].doubt > m->drained;
	return *several ? PF_NO_MAPPING : owner;
}

uint32_t
pf_modules_find(struct pf_modules *m, uint64_t pc, int64_t now)
{
	bool several;
	uint32_t owner = find_owner(m, pc, &several);

	if (owner == PF_NO_MAPPING && !several && pc >= 4096 && now >= m->next_forced) {
		m->next_forced = now + FORCE_EVERY;
		if (!pf_host_confined())
			pf_modules_look(m);
		owner = find_owner(m, pc, &several);
	}
	m->ambiguous += several;
	return owner;
}

/* Whether what is at its place now is this very file. */
static bool
still_there(const struct pf_mapping *mapping)
{
	struct pf_mapping now = {.base = mapping->base};

	pf_elf_describe(&now);
	return now.unwind_header == mapping->unwind_header &&
	       now.unwind_end == mapping->unwind_end && !strcmp(now.build_id, mapping->build_id);
}

/* Copies the tables, because the host may unload them at any time. */
static void
copy_tables(struct pf_modules *m, struct pf_mapping *mapping)
{
	size_t size = (size_t)(mapping->unwind_end - mapping->unwind_start), done;

	if (size > MOST_TABLE || m->copied + size > MOST_TABLES)
		return;
	mapping->copy = malloc(size);
	if (!mapping->copy)
		return;
	done = pf_host_read(mapping->copy, mapping->unwind_start, size);
	if (done != size || !still_there(mapping) ||
	    !pf_cfi_open(&mapping->cfi, mapping->copy, size, mapping->unwind_start,
		mapping->unwind_header)) {
		free(mapping->copy);
		mapping->copy = NULL;
		mapping->cfi.count = 0;
		return;
	}
	m->copied += size;
}

const struct pf_cfi *
pf_modules_cfi(struct pf_modules *m, uint32_t number)
{
	struct pf_mapping *mapping = &m->items[number];
	size_t size = (size_t)(mapping->unwind_end - mapping->unwind_start);

	if (!mapping->tried && mapping->unwind_header) {
		if (mapping->main || mapping->vdso)
			pf_cfi_open(&mapping->cfi, (const void *)(uintptr_t)mapping->unwind_start,
			    size, mapping->unwind_start, mapping->unwind_header);
		else
			copy_tables(m, mapping);
	}
	mapping->tried = true;
	return mapping->cfi.count ? &mapping->cfi : NULL;
}
