/* frames.c: names for locations; see frames.h. What is dropped is worked out in drop.c. */
#include "report/frames.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/error.h"
#include "core/file.h"
#include "core/memory.h"
#include "profile/special.h"
#include "report/drop.h"
#include "symbol/demangle.h"

/* What a location lies in: a file's name, or that of code in no file, such as "[vdso]". */
static const char *
binary_of(const struct pf_profile *p, const struct pf_location *l)
{
	if (l->mapping == PF_NONE)
		return pf_address_is_kernel(l->address) ? PF_KERNEL_NAME : "";
	return pf_base_name(pf_profile_string(p, p->mappings[l->mapping].filename));
}

static void
name_binary(const struct pf_profile *p, const struct pf_location *l, struct pf_buffer *name)
{
	const char *binary = binary_of(p, l);

	if (*binary)
		pf_buffer_printf(name, *binary == '[' ? "%s" : "[%s]", binary);
	else
		pf_buffer_string(name, PF_UNKNOWN_NAME);
}

/* "app+0x1010": the position in the binary's file, the same for every process that runs it. */
static void
name_address(const struct pf_profile *p, const struct pf_location *l, struct pf_buffer *name)
{
	const char *binary = binary_of(p, l);
	uint64_t address = l->address;

	if (l->mapping != PF_NONE)
		address += p->mappings[l->mapping].offset - p->mappings[l->mapping].start;
	if (*binary)
		pf_buffer_printf(name, "%s+0x%" PRIx64, binary, address);
	else
		pf_buffer_printf(name, "0x%" PRIx64, address);
}

/* People read "AuditTrail::record"; what is no mangled name, or none that is understood, stays as it is. */
static void
write_function(const char *function, struct pf_buffer *name)
{
	char readable[PF_DEMANGLED_ROOM];

	pf_buffer_string(name, pf_readable_name(function, readable));
}

static void
name_line(const struct pf_profile *p, const struct pf_line *line, struct pf_buffer *name)
{
	const char *file = pf_profile_string(p, p->functions[line->function].filename);

	write_function(pf_profile_string(p, p->functions[line->function].name), name);
	if (line->line)
		pf_buffer_printf(name, " %s:%" PRId64, file, line->line);
	else if (*file)
		pf_buffer_printf(name, " %s", file);
}

/* A frame that has a function. */
static void
name_function(const struct pf_frames *f, const struct pf_location *l, const struct pf_line *line,
    struct pf_buffer *name)
{
	const struct pf_profile *p = f->p;
	const char *file = pf_profile_string(p, p->functions[line->function].filename);

	if (f->granularity == PF_BY_ADDRESS) {
		name_address(p, l, name);
		pf_buffer_byte(name, ' ');
	}
	if (f->granularity == PF_BY_FILE && *file)
		pf_buffer_string(name, file);
	else if (f->granularity == PF_BY_FUNCTION || f->granularity == PF_BY_FILE)
		write_function(pf_profile_string(p, p->functions[line->function].name), name);
	else if (f->granularity != PF_BY_BINARY)
		name_line(p, line, name);
	if (!name->size)
		name_binary(p, l, name);
}

static int
append_name(struct pf_frames *f, const struct pf_buffer *name, const struct pf_function *function,
    struct pf_error *err)
{
	uint32_t id, known = f->names.count, symbol = function ? function->name : 0;
	int rc = pf_buffer_check(name, err);

	if (!rc)
		rc = pf_strings_add(&f->names, (const char *)name->bytes, name->size, &id, err);
	if (!rc)
		rc = PF_GROW(f->about, f->about_capacity, f->names.count, err);
	if (!rc)
		rc = PF_GROW(f->runs, f->run_capacity, f->run_count + 1, err);
	if (rc)
		return rc;
	if (f->names.count > known)
		f->about[id] =
		    (struct pf_frame_name){function ? function->filename : 0, symbol, false};
	f->about[id].shared |= symbol && symbol != f->about[id].symbol;
	f->runs[f->run_count++] = id;
	return 0;
}

static int
name_location(struct pf_frames *f, size_t location, struct pf_buffer *name, struct pf_error *err)
{
	const struct pf_profile *p = f->p;
	const struct pf_location *l = &p->locations[location];
	uint64_t first = p->line_starts[location] + pf_drop_lines(f, location);
	int rc = 0;

	if (p->line_starts[location] == p->line_starts[location + 1]) {
		pf_buffer_clear(name);
		if (f->granularity == PF_BY_ADDRESS)
			name_address(p, l, name);
		else
			name_binary(p, l, name);
		return append_name(f, name, NULL, err);
	}
	for (uint64_t i = first; !rc && i < p->line_starts[location + 1]; i++) {
		const struct pf_line *line = &p->lines[i];

		pf_buffer_clear(name);
		if (line->function == PF_NONE)
			name_binary(p, l, name);
		else
			name_function(f, l, line, name);
		rc = append_name(
		    f, name, line->function == PF_NONE ? NULL : &p->functions[line->function], err);
	}
	return rc;
}

static int
name_locations(struct pf_frames *f, struct pf_error *err)
{
	const struct pf_profile *p = f->p;
	struct pf_buffer name;
	int rc = PF_CALLOC(f->starts, p->location_count + 1, err);

	pf_buffer_init(&name, PF_BUFFER_NO_MAXIMUM);
	if (!rc && !pf_buffer_reserve(&name, 64)) /* so that an empty name has bytes, too */
		rc = pf_error_nomem(err);
	for (size_t i = 0; !rc && i < p->location_count; i++) {
		rc = name_location(f, i, &name, err);
		f->starts[i + 1] = f->run_count;
	}
	pf_buffer_release(&name);
	return rc;
}

/* The agent names its own wrappers in every profile: that says nothing of the program's code. */
static bool
is_agent(const struct pf_profile *p, const struct pf_location *l)
{
	return strncmp(binary_of(p, l), PF_AGENT_NAME, strlen(PF_AGENT_NAME)) == 0;
}

static bool
has_lines(const struct pf_profile *p)
{
	for (size_t i = 0; i < p->location_count; i++) {
		for (uint64_t j = p->line_starts[i]; j < p->line_starts[i + 1]; j++) {
			if (p->lines[j].function != PF_NONE && !is_agent(p, &p->locations[i]))
				return true;
		}
	}
	return false;
}

int
pf_frames_init(struct pf_frames *f, const struct pf_profile *p, enum pf_granularity granularity,
    struct pf_error *err)
{
	int rc;

	*f = (struct pf_frames){.p = p, .granularity = granularity, .has_lines = has_lines(p)};
	if (granularity == PF_BY_AUTO)
		f->granularity = f->has_lines ? PF_BY_FUNCTION : PF_BY_ADDRESS;
	rc = pf_strings_init(&f->names, err);
	if (!rc)
		rc = pf_drop_init(f, err);
	if (!rc)
		rc = name_locations(f, err);
	if (rc)
		pf_frames_release(f);
	return rc;
}

void
pf_frames_release(struct pf_frames *f)
{
	pf_strings_release(&f->names);
	free(f->runs);
	free(f->starts);
	free(f->about);
	free(f->cuts);
	*f = (struct pf_frames){0};
}
