/*
 * sample_profile.h: small profiles as bytes, built field by field.
 *
 * Tests say what a message holds in the words of profile.proto; broken
 * profiles are built the same way with one field wrong.
 */
#ifndef TESTS_SAMPLE_PROFILE_H
#define TESTS_SAMPLE_PROFILE_H

#include <string.h>

#include "core/wire.h"
#include "profile/fields.h"

/* Adds a string to the table; the caller keeps count of the indexes. */
static inline void
add_string(struct pf_buffer *b, const char *s)
{
	pf_wire_bytes(b, PF_PROFILE_STRING_TABLE, s, strlen(s));
}

static inline void
add_type(struct pf_buffer *b, uint64_t type, uint64_t unit)
{
	struct pf_buffer m = {.maximum = 1 << 20};

	pf_wire_varint(&m, PF_VALUE_TYPE_TYPE, type);
	pf_wire_varint(&m, PF_VALUE_TYPE_UNIT, unit);
	pf_wire_bytes(b, PF_PROFILE_SAMPLE_TYPE, m.bytes, m.size);
	pf_buffer_release(&m);
}

static inline void
add_mapping(struct pf_buffer *b, uint64_t id, uint64_t start, uint64_t limit, uint64_t offset,
    uint64_t filename, uint64_t build_id)
{
	struct pf_buffer m = {.maximum = 1 << 20};

	pf_wire_varint(&m, PF_MAPPING_ID, id);
	pf_wire_varint(&m, PF_MAPPING_START, start);
	pf_wire_varint(&m, PF_MAPPING_LIMIT, limit);
	pf_wire_varint(&m, PF_MAPPING_OFFSET, offset);
	pf_wire_varint(&m, PF_MAPPING_FILENAME, filename);
	pf_wire_varint(&m, PF_MAPPING_BUILD_ID, build_id);
	pf_wire_bytes(b, PF_PROFILE_MAPPING, m.bytes, m.size);
	pf_buffer_release(&m);
}

/* function 0: a location without lines. */
static inline void
add_location(struct pf_buffer *b, uint64_t id, uint64_t mapping, uint64_t address,
    uint64_t function, uint64_t line)
{
	struct pf_buffer m = {.maximum = 1 << 20}, l = {.maximum = 1 << 20};

	pf_wire_varint(&m, PF_LOCATION_ID, id);
	pf_wire_varint(&m, PF_LOCATION_MAPPING_ID, mapping);
	pf_wire_varint(&m, PF_LOCATION_ADDRESS, address);
	if (function) {
		pf_wire_varint(&l, PF_LINE_FUNCTION_ID, function);
		pf_wire_varint(&l, PF_LINE_LINE, line);
		pf_wire_bytes(&m, PF_LOCATION_LINE, l.bytes, l.size);
	}
	pf_wire_bytes(b, PF_PROFILE_LOCATION, m.bytes, m.size);
	pf_buffer_release(&m);
	pf_buffer_release(&l);
}

static inline void
add_function(struct pf_buffer *b, uint64_t id, uint64_t name, uint64_t start_line)
{
	struct pf_buffer m = {.maximum = 1 << 20};

	pf_wire_varint(&m, PF_FUNCTION_ID, id);
	pf_wire_varint(&m, PF_FUNCTION_NAME, name);
	pf_wire_varint(&m, PF_FUNCTION_START_LINE, start_line);
	pf_wire_bytes(b, PF_PROFILE_FUNCTION, m.bytes, m.size);
	pf_buffer_release(&m);
}

/* Locations leaf first; packed or one field each, as both occur. */
static inline void
add_sample(struct pf_buffer *b, const uint64_t *locations, size_t n, const int64_t *values,
    size_t types, int packed)
{
	struct pf_buffer m = {.maximum = 1 << 20}, run = {.maximum = 1 << 20};

	for (size_t i = 0; i < n; i++) {
		if (packed)
			pf_buffer_uleb(&run, locations[i]);
		else
			pf_wire_varint(&m, PF_SAMPLE_LOCATION_ID, locations[i]);
	}
	if (packed)
		pf_wire_bytes(&m, PF_SAMPLE_LOCATION_ID, run.bytes, run.size);
	pf_buffer_clear(&run);
	for (size_t i = 0; i < types; i++)
		pf_buffer_uleb(&run, (uint64_t)values[i]);
	pf_wire_bytes(&m, PF_SAMPLE_VALUE, run.bytes, run.size);
	pf_wire_bytes(b, PF_PROFILE_SAMPLE, m.bytes, m.size);
	pf_buffer_release(&m);
	pf_buffer_release(&run);
}

/*
 * A two-binary CPU profile: samples/count and cpu/nanoseconds; main binary
 * "/srv/app" mapped at 0x10000 from offset 0x1000 with build id "AB12" (if
 * with_build_id), libc beside it; two samples sharing the root main -> work.
 */
static inline void
sample_profile(struct pf_buffer *b, uint64_t app_start, int with_build_id)
{
	static const char *const strings[] = {"", "samples", "count", "cpu", "nanoseconds",
	    "/srv/app", "AB12", "/lib/libc.so.6", "cd34"};

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++)
		add_string(b, strings[i]);
	add_type(b, 1, 2);
	add_type(b, 3, 4);
	add_sample(b, (uint64_t[]){1, 2, 3}, 3, (int64_t[]){2, 20}, 2, 1);
	add_sample(b, (uint64_t[]){4, 2, 3}, 3, (int64_t[]){1, 10}, 2, 0);
	add_mapping(b, 1, app_start, app_start + 0x2000, 0x1000, 5, with_build_id ? 6 : 0);
	add_mapping(b, 2, 0x7f0000, 0x7f8000, 0x2000, 7, 8);
	add_location(b, 1, 1, app_start + 0x10, 0, 0);
	add_location(b, 2, 1, app_start + 0x20, 0, 0);
	add_location(b, 3, 1, app_start + 0x30, 0, 0);
	add_location(b, 4, 2, 0x7f0040, 0, 0);
	pf_wire_varint(b, PF_PROFILE_TIME_NANOS, 1700000000000000000);
	pf_wire_varint(b, PF_PROFILE_DURATION_NANOS, 30000000000);
	pf_wire_varint(b, PF_PROFILE_PERIOD, 10000000);
}

#endif
