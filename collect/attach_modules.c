/* attach_modules.c: see attach_modules.h. */
#include "attach_modules.h"

#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/error.h"
#include "core/memory.h"

enum { LINE = 5000 };

void
pf_modules_table_release(struct pf_modules_table *t)
{
	for (size_t i = 0; i < t->module_count; i++) {
		pf_binary_free(t->modules[i].binary);
		free(t->modules[i].file);
	}
	for (size_t i = 0; i < t->process_count; i++)
		free(t->processes[i].maps);
	free(t->modules);
	free(t->processes);
	pf_index_release(&t->module_index);
	pf_index_release(&t->process_index);
	*t = (struct pf_modules_table){0};
}

static int
module_of(struct pf_modules_table *t, const char *file, uint32_t *module, struct pf_error *err)
{
	uint32_t hash = pf_hash_bytes(file, strlen(file)), i;
	size_t at;
	int rc;

	for (i = pf_index_first(&t->module_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&t->module_index, hash, &at)) {
		if (strcmp(t->modules[i].file, file) == 0) {
			*module = i;
			return 0;
		}
	}
	rc = PF_GROW(t->modules, t->module_capacity, t->module_count + 1, err);
	if (rc)
		return rc;
	t->modules[t->module_count] = (struct pf_module){0};
	rc = pf_copy_string(&t->modules[t->module_count].file, file, err);
	if (!rc)
		rc = pf_index_add(&t->module_index, hash, (uint32_t)t->module_count, err);
	if (rc) {
		free(t->modules[t->module_count].file);
		return rc;
	}
	*module = (uint32_t)t->module_count++;
	return 0;
}

/* Puts a mapping in, in place of whatever lay there. */
static int
insert(struct pf_process *p, struct pf_map map, struct pf_error *err)
{
	size_t kept = 0, at = 0;
	int rc = PF_GROW(p->maps, p->capacity, p->count + 1, err);

	if (rc)
		return rc;
	for (size_t i = 0; i < p->count; i++) {
		if (p->maps[i].start < map.end && map.start < p->maps[i].end)
			continue;
		p->maps[kept++] = p->maps[i];
	}
	p->count = kept;
	while (at < p->count && p->maps[at].start < map.start)
		at++;
	memmove(&p->maps[at + 1], &p->maps[at], (p->count - at) * sizeof *p->maps);
	p->maps[at] = map;
	p->count++;
	return 0;
}

static int
read_maps(struct pf_modules_table *t, struct pf_process *p, struct pf_error *err)
{
	char path[64], line[LINE];
	FILE *f;
	int rc = 0;

	snprintf(path, sizeof path, "/proc/%ld/maps", (long)p->pid);
	f = fopen(path, "re");
	while (!rc && f && fgets(line, sizeof line, f)) {
		uint64_t start, end, offset;
		char flags[8];
		int name = 0;
		struct pf_map map;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %7s %" SCNx64 " %*s %*s %n", &start, &end,
			flags, &offset, &name) < 4 ||
		    flags[2] != 'x')
			continue;
		line[strcspn(line, "\n")] = '\0';
		map = (struct pf_map){.start = start, .end = end, .offset = offset};
		rc = module_of(t, name && line[name] ? line + name : "//anon", &map.module, err);
		if (!rc)
			rc = insert(p, map, err);
	}
	if (f)
		fclose(f);
	return rc;
}

static void
read_name(struct pf_process *p)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof path, "/proc/%ld/comm", (long)p->pid);
	f = fopen(path, "re");
	if (f && fgets(p->name, sizeof p->name, f))
		p->name[strcspn(p->name, "\n")] = '\0';
	if (f)
		fclose(f);
}

static struct pf_process *
find_process(struct pf_modules_table *t, pid_t pid)
{
	uint32_t hash = pf_hash_u64((uint64_t)pid);
	size_t at;

	for (uint32_t i = pf_index_first(&t->process_index, hash, &at); i != PF_NONE;
	    i = pf_index_next(&t->process_index, hash, &at)) {
		if (t->processes[i].pid == pid)
			return &t->processes[i];
	}
	return NULL;
}

static struct pf_process *
add_process(struct pf_modules_table *t, pid_t pid, struct pf_error *err)
{
	struct pf_process *p;

	if (PF_GROW(t->processes, t->process_capacity, t->process_count + 1, err) ||
	    pf_index_add(
		&t->process_index, pf_hash_u64((uint64_t)pid), (uint32_t)t->process_count, err))
		return NULL;
	p = &t->processes[t->process_count++];
	*p = (struct pf_process){.pid = pid};
	return p;
}

struct pf_process *
pf_modules_process(struct pf_modules_table *t, pid_t pid)
{
	struct pf_process *p = find_process(t, pid);

	if (p)
		return p;
	p = add_process(t, pid, NULL);
	if (!p)
		return NULL;
	read_name(p);
	return read_maps(t, p, NULL) ? NULL : p;
}

int
pf_modules_map(struct pf_modules_table *t, pid_t pid, const char *file, uint64_t start,
    uint64_t size, uint64_t offset, struct pf_error *err)
{
	struct pf_process *p = find_process(t, pid);
	struct pf_map map = {.start = start, .end = start + size, .offset = offset};
	int rc;

	if (!p) { /* read when it is first sampled: this mapping will be there */
		p = pf_modules_process(t, pid);
		return p ? 0 : pf_error_nomem(err);
	}
	rc = module_of(t, *file ? file : "//anon", &map.module, err);
	return rc ? rc : insert(p, map, err);
}

int
pf_modules_fork(struct pf_modules_table *t, pid_t child, pid_t parent, struct pf_error *err)
{
	struct pf_process *from, *to;
	int rc = 0;

	if (child == parent) /* a thread */
		return 0;
	to = find_process(t, child);
	if (!to)
		to = add_process(t, child, err);
	from = find_process(t, parent);
	if (!to)
		return PF_ENOMEM;
	if (!from)
		return read_maps(t, to, err);
	to->count = 0;
	memcpy(to->name, from->name, sizeof to->name);
	for (size_t i = 0; !rc && i < from->count; i++)
		rc = insert(to, from->maps[i], err);
	return rc;
}

void
pf_modules_exec(struct pf_modules_table *t, pid_t pid, const char *name)
{
	struct pf_process *p = find_process(t, pid);

	if (!p)
		return;
	p->count = 0; /* records with the new program's mappings follow */
	snprintf(p->name, sizeof p->name, "%s", name);
}

const struct pf_map *
pf_process_find(const struct pf_process *p, uint64_t address)
{
	size_t low = 0, high = p->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (address >= p->maps[middle].end)
			low = middle + 1;
		else if (address < p->maps[middle].start)
			high = middle;
		else
			return &p->maps[middle];
	}
	return NULL;
}

/* The unwind tables, found through the program headers, which lie in the first loaded segment. */
static bool
open_cfi(struct pf_module *m)
{
	uint64_t start, end, header = 0;
	bool executable;
	Elf64_Ehdr elf;
	const uint8_t *bytes;

	if (!pf_binary_segment(m->binary, 0, &start, &end, &executable))
		return false;
	bytes = pf_binary_bytes(m->binary, start, sizeof elf);
	if (!bytes)
		return false;
	memcpy(&elf, bytes, sizeof elf);
	if (memcmp(elf.e_ident, ELFMAG, SELFMAG) != 0 || elf.e_phentsize != sizeof(Elf64_Phdr))
		return false;
	for (uint64_t i = 0; i < elf.e_phnum && !header; i++) {
		Elf64_Phdr program;
		bytes = pf_binary_bytes(
		    m->binary, start + elf.e_phoff + i * sizeof program, sizeof program);
		if (!bytes)
			return false;
		memcpy(&program, bytes, sizeof program);
		header = program.p_type == PT_GNU_EH_FRAME ? program.p_vaddr : 0;
	}
	for (size_t i = 0; header && pf_binary_segment(m->binary, i, &start, &end, &executable);
	    i++) {
		if (header < start || header >= end)
			continue;
		bytes = pf_binary_bytes(m->binary, start, (size_t)(end - start));
		return bytes && pf_cfi_open(&m->cfi, bytes, (size_t)(end - start), start, header);
	}
	return false;
}

struct pf_module *
pf_module_open(struct pf_modules_table *t, uint32_t module, pid_t pid)
{
	struct pf_module *m = &t->modules[module];
	char path[LINE];

	if (m->opened)
		return m;
	m->opened = true;
	if (m->file[0] != '/' || m->file[1] == '/')
		return m; /* [vdso], //anon, [stack] */
	/* as the process sees it: it may live in another root */
	snprintf(path, sizeof path, "/proc/%ld/root%s", (long)pid, m->file);
	if (access(path, R_OK))
		snprintf(path, sizeof path, "%s", m->file);
	if (strstr(m->file, " (deleted)"))
		snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid);
	if (pf_binary_open(&m->binary, path, NULL))
		m->binary = NULL;
	m->has_cfi = m->binary && open_cfi(m);
	return m;
}

bool
pf_module_address(
    const struct pf_module *m, const struct pf_map *map, uint64_t address, uint64_t *own)
{
	return m->binary && pf_binary_address(m->binary, address - map->start + map->offset, own);
}
