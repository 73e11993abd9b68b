/*
 * dump.c: prints a profile as text, with names from the files' symbol tables.
 *
 * Independent of the agent's and libprofuse's own code where that matters: the
 * bytes are inflated with zlib and names come from libelf. It refuses what the
 * format's strictest readers refuse, so that a test sees it: ids not 1..n,
 * unresolved ids, a first string that is not "", no default_sample_type.
 *
 *	type samples count        period 10000000 cpu nanoseconds
 *	comment TEXT              mapping ID START-LIMIT OFFSET FILE BUILDID
 *	sample VALUE… leaf;caller;…;main LABEL=VALUE…
 *
 * A frame without a symbol is printed as [FILE+0xOFFSET].
 */
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "core/cursor.h"

enum { MOST = 1 << 20 };

struct field {
	unsigned number, wire;
	uint64_t value;
	struct pf_cursor bytes;
};

struct mapping {
	uint64_t start, limit, offset, file, build_id;
	Elf *elf;
	uint64_t bias;
};

struct location {
	uint64_t mapping, address, function;
};

static const char *strings[MOST];
static size_t string_sizes[MOST], string_count;
static struct mapping mappings[65536];
static struct location locations[MOST];
static uint64_t functions[65536]; /* names */
static size_t mapping_count, location_count, function_count, type_count;

static void
die(const char *why)
{
	fprintf(stderr, "agent_dump: %s\n", why);
	exit(1);
}

static bool
next(struct pf_cursor *c, struct field *f)
{
	uint64_t key;

	if (!pf_cursor_more(c))
		return false;
	key = pf_cursor_varint(c);
	*f = (struct field){.number = (unsigned)(key >> 3), .wire = (unsigned)(key & 7)};
	if (f->wire == 0)
		f->value = pf_cursor_varint(c);
	else if (f->wire == 2)
		f->bytes = pf_cursor_slice(c, pf_cursor_varint(c));
	else
		die("a wire type that the format doesn't have");
	if (c->failure)
		die(c->failure);
	return true;
}

static const char *
text(uint64_t i)
{
	static char room[4][4096];
	static unsigned turn;
	char *to = room[turn++ % 4];

	if (i >= string_count)
		die("string index out of range");
	snprintf(to, sizeof room[0], "%.*s", (int)string_sizes[i], strings[i]);
	return to;
}

static void
print_type(struct pf_cursor c, const char *before)
{
	struct field f;
	uint64_t type = 0, unit = 0;

	while (next(&c, &f))
		*(f.number == 1 ? &type : &unit) = f.value;
	printf("%s %s %s\n", before, text(type), text(unit));
}

/* Opens the file of a mapping and works out where it was loaded. */
static void
open_elf(struct mapping *m)
{
	GElf_Phdr p;
	size_t n = 0;
	int fd = open(text(m->file), O_RDONLY);

	m->elf = fd < 0 ? NULL : elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (!m->elf || elf_getphdrnum(m->elf, &n))
		return;
	for (size_t i = 0; i < n; i++)
		if (gelf_getphdr(m->elf, (int)i, &p) && p.p_type == PT_LOAD && (p.p_flags & PF_X) &&
		    m->offset + (m->limit - m->start) > p.p_offset &&
		    m->offset <= p.p_offset + p.p_filesz)
			m->bias = m->start - m->offset + p.p_offset - p.p_vaddr;
}

static void
read_mapping(struct pf_cursor c)
{
	struct mapping *m = &mappings[++mapping_count];
	struct field f;

	while (next(&c, &f))
		switch (f.number) {
		case 1:
			if (f.value != mapping_count)
				die("mapping ids are not 1..n");
			break;
		case 2:
			m->start = f.value;
			break;
		case 3:
			m->limit = f.value;
			break;
		case 4:
			m->offset = f.value;
			break;
		case 5:
			m->file = f.value;
			break;
		case 6:
			m->build_id = f.value;
			break;
		}
	printf("mapping %zu %" PRIx64 "-%" PRIx64 " %" PRIx64 " %s %s\n", mapping_count, m->start,
	    m->limit, m->offset, text(m->file), text(m->build_id));
	open_elf(m);
}

static void
read_location(struct pf_cursor c)
{
	struct location *l = &locations[++location_count];
	struct field f, g;

	while (next(&c, &f)) {
		if (f.number == 1 && f.value != location_count)
			die("location ids are not 1..n");
		if (f.number == 2)
			l->mapping = f.value;
		else if (f.number == 3)
			l->address = f.value;
		else if (f.number == 4)
			while (next(&f.bytes, &g))
				if (g.number == 1)
					l->function = g.value;
	}
	if (l->mapping > mapping_count)
		die("a location's mapping is not there");
}

static void
read_function(struct pf_cursor c)
{
	struct field f;

	function_count++;
	while (next(&c, &f))
		if (f.number == 2)
			functions[function_count] = f.value;
}

/* The symbol that holds an address of a file, or NULL. */
static const char *
symbol(Elf *elf, uint64_t address)
{
	for (int pass = 0; pass < 2; pass++)
		for (Elf_Scn *s = NULL; (s = elf_nextscn(elf, s));) {
			GElf_Shdr header;
			Elf_Data *data;
			GElf_Sym sym;
			if (!gelf_getshdr(s, &header) ||
			    header.sh_type != (pass ? SHT_DYNSYM : SHT_SYMTAB) ||
			    !(data = elf_getdata(s, NULL)))
				continue;
			for (int i = 0; gelf_getsym(data, i, &sym); i++)
				if (GELF_ST_TYPE(sym.st_info) == STT_FUNC &&
				    address >= sym.st_value && address - sym.st_value < sym.st_size)
					return elf_strptr(elf, header.sh_link, sym.st_name);
		}
	return NULL;
}

static void
print_frame(uint64_t id)
{
	const struct location *l = &locations[id];
	const struct mapping *m = &mappings[l->mapping];
	const char *name = NULL, *file;

	if (id == 0 || id > location_count)
		die("a sample's location is not there");
	if (l->function > function_count)
		die("a line's function is not there");
	if (l->function)
		name = text(functions[l->function]);
	else if (l->mapping && m->elf)
		name = symbol(m->elf, l->address - m->bias);
	if (name) {
		printf("%s", name);
		return;
	}
	file = l->mapping ? text(m->file) : "?";
	printf("[%s+0x%" PRIx64 "]", strrchr(file, '/') ? strrchr(file, '/') + 1 : file,
	    l->mapping ? l->address - m->start + m->offset : l->address);
}

static void
print_label(struct pf_cursor c)
{
	uint64_t fields[5] = {0};
	struct field f;

	while (next(&c, &f))
		if (f.number < 5)
			fields[f.number] = f.value;
	printf(" %s=", text(fields[1]));
	if (fields[2])
		printf("%s", text(fields[2]));
	else
		printf("%" PRId64 "%s", (int64_t)fields[3], text(fields[4]));
}

static size_t
read_packed(struct pf_cursor c, uint64_t *values, size_t most)
{
	size_t n = 0;

	while (pf_cursor_more(&c)) {
		uint64_t value = pf_cursor_varint(&c);
		if (n < most)
			values[n++] = value;
	}
	return n;
}

static void
print_sample(struct pf_cursor c)
{
	struct pf_cursor labels[16];
	uint64_t ids[1024], values[8];
	size_t n = 0, v = 0, l = 0;
	struct field f;

	while (next(&c, &f)) {
		if (f.wire != 2)
			die("a sample's numbers are not packed");
		if (f.number == 1)
			n = read_packed(f.bytes, ids, 1024);
		else if (f.number == 2)
			v = read_packed(f.bytes, values, 8);
		else if (f.number == 3 && l < 16)
			labels[l++] = f.bytes;
	}
	if (v != type_count)
		die("a sample has not as many values as there are types");
	printf("sample ");
	for (size_t i = 0; i < v; i++)
		printf("%" PRId64 " ", (int64_t)values[i]);
	for (size_t i = 0; i < n; i++) {
		if (i)
			putchar(';');
		print_frame(ids[i]);
	}
	for (size_t i = 0; i < l; i++)
		print_label(labels[i]);
	putchar('\n');
}

/* One pass over the profile's fields. */
static void
pass(struct pf_cursor c, unsigned wanted, void (*use)(struct pf_cursor))
{
	struct field f;

	while (next(&c, &f))
		if (f.number == wanted)
			use(f.bytes);
}

static void
read_string(struct pf_cursor c)
{
	if (string_count == MOST)
		die("too many strings");
	strings[string_count] = (const char *)c.at;
	string_sizes[string_count++] = pf_cursor_left(&c);
}

static void
print_sample_type(struct pf_cursor c)
{
	type_count++;
	print_type(c, "type");
}

static void
print_head(struct pf_cursor c)
{
	uint64_t period = 0, time = 0, duration = 0, chosen = 0;
	struct pf_cursor period_type = {0};
	struct field f;
	char before[64];

	while (next(&c, &f))
		switch (f.number) {
		case 9:
			time = f.value;
			break;
		case 10:
			duration = f.value;
			break;
		case 11:
			period_type = f.bytes;
			break;
		case 12:
			period = f.value;
			break;
		case 13:
			printf("comment %s\n", text(f.value));
			break;
		case 14:
			chosen = f.value;
			break;
		}
	if (!chosen || !time || !duration)
		die("no default_sample_type, time or duration");
	snprintf(before, sizeof before, "period %" PRIu64, period);
	print_type(period_type, before);
	printf("default %s\nduration %.3f\n", text(chosen), (double)duration / 1e9);
}

int
main(int argc, char **argv)
{
	static uint8_t bytes[256 << 20];
	struct pf_cursor c;
	gzFile in = argc == 2 ? gzopen(argv[1], "rb") : NULL;
	int n = in ? gzread(in, bytes, sizeof bytes) : -1;

	if (n <= 0 || gzclose(in) != Z_OK)
		die("can't read the profile");
	elf_version(EV_CURRENT);
	pf_cursor_init(&c, "profile", bytes, (size_t)n);
	pass(c, 6, read_string);
	if (!string_count || string_sizes[0])
		die("the first string is not empty");
	pass(c, 1, print_sample_type);
	print_head(c);
	pass(c, 3, read_mapping);
	pass(c, 5, read_function);
	pass(c, 4, read_location);
	pass(c, 2, print_sample);
	return 0;
}
