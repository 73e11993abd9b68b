/* cfi.c: see cfi.h. Finding a function's entry and its common part; cfi_run.c runs them. */
#include "collect/agent/cfi.h"

#include <string.h>

#include "collect/agent/cfi_run.h"
#include "collect/agent/reader.h"

enum {
	ENC_ABSPTR = 0x00,
	ENC_ULEB = 0x01,
	ENC_UDATA2 = 0x02,
	ENC_UDATA4 = 0x03,
	ENC_UDATA8 = 0x04,
	ENC_SLEB = 0x09,
	ENC_SDATA2 = 0x0a,
	ENC_SDATA4 = 0x0b,
	ENC_SDATA8 = 0x0c,
	ENC_PCREL = 0x10,
	ENC_DATAREL = 0x30,
	ENC_INDIRECT = 0x80,
	ENC_OMIT = 0xff,
};

/* A cursor from an address of the process to the end of the tables. */
static struct pf_cursor
at(const struct pf_cfi *cfi, uint64_t address)
{
	struct pf_cursor c;
	uint64_t offset = address - cfi->address;

	pf_cursor_init(&c, ".eh_frame", cfi->bytes, cfi->size);
	if (address < cfi->address)
		pf_cursor_fail(&c, "address before the tables");
	else
		pf_cursor_skip(&c, offset);
	return c;
}

static uint64_t
address_of(const struct pf_cfi *cfi, const struct pf_cursor *c)
{
	return cfi->address + (uint64_t)(c->at - cfi->bytes);
}

/* An encoded pointer; indirect ones are not followed (only personalities are). */
static uint64_t
encoded(const struct pf_cfi *cfi, struct pf_cursor *c, uint8_t encoding)
{
	uint64_t base = 0, value;

	if (encoding == ENC_OMIT)
		return 0;
	if ((encoding & 0x70) == ENC_PCREL)
		base = address_of(cfi, c);
	else if ((encoding & 0x70) == ENC_DATAREL)
		base = cfi->header;
	else if ((encoding & 0x70) != 0)
		return pf_cursor_fail(c, "pointer base not known here");
	switch (encoding & 0x0f) {
	case ENC_ABSPTR:
	case ENC_UDATA8:
	case ENC_SDATA8:
		value = pf_read_fixed(c, 8);
		break;
	case ENC_ULEB:
		value = pf_cursor_varint(c);
		break;
	case ENC_SLEB:
		value = (uint64_t)pf_read_sleb(c);
		break;
	case ENC_UDATA2:
		value = pf_read_fixed(c, 2);
		break;
	case ENC_SDATA2:
		value = (uint64_t)pf_read_signed(c, 2);
		break;
	case ENC_UDATA4:
		value = pf_read_fixed(c, 4);
		break;
	case ENC_SDATA4:
		value = (uint64_t)pf_read_signed(c, 4);
		break;
	default:
		return pf_cursor_fail(c, "pointer encoding not known");
	}
	return base + value;
}

bool
pf_cfi_open(struct pf_cfi *cfi, const void *bytes, size_t size, uint64_t address, uint64_t header)
{
	struct pf_cursor c;
	uint8_t version, frames, count, table;

	*cfi = (struct pf_cfi){.bytes = bytes, .size = size, .address = address, .header = header};
	c = at(cfi, header);
	version = pf_read_u8(&c);
	frames = pf_read_u8(&c);
	count = pf_read_u8(&c);
	table = pf_read_u8(&c);
	encoded(cfi, &c, frames);
	cfi->count = count == ENC_OMIT ? 0 : encoded(cfi, &c, count);
	if (c.failure || version != 1 || table != (ENC_DATAREL | ENC_SDATA4))
		return false;
	cfi->table = address_of(cfi, &c);
	return cfi->count > 0 && cfi->count <= pf_cursor_left(&c) / 8;
}

/* Pair `i` of the search table: a function's start, and its entry's address. */
static uint64_t
pair(const struct pf_cfi *cfi, uint64_t i, uint64_t *entry)
{
	const uint8_t *p = cfi->bytes + (cfi->table - cfi->address) + i * 8;
	int32_t start, where;

	memcpy(&start, p, 4);
	memcpy(&where, p + 4, 4);
	*entry = cfi->header + (uint64_t)(int64_t)where;
	return cfi->header + (uint64_t)(int64_t)start;
}

/* How many functions of the table begin at or before an address: the last of them holds it. */
static uint64_t
position(const struct pf_cfi *cfi, uint64_t pc)
{
	uint64_t low = 0, high = cfi->count, entry;

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		if (pair(cfi, middle, &entry) <= pc)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static bool
search(const struct pf_cfi *cfi, uint64_t pc, uint64_t *entry)
{
	uint64_t found = position(cfi, pc);

	if (found == 0)
		return false;
	pair(cfi, found - 1, entry);
	return true;
}

uint64_t
pf_cfi_start(const struct pf_cfi *cfi, uint64_t pc)
{
	uint64_t found = position(cfi, pc), entry;

	return found ? pair(cfi, found - 1, &entry) : 0;
}

/* The record at the cursor, without its length; `id_at` is where its second word stands. */
static struct pf_cursor
record(const struct pf_cfi *cfi, struct pf_cursor *c, uint64_t *id_at)
{
	uint64_t length = pf_read_fixed(c, 4);
	struct pf_cursor body;

	if (length == 0xffffffff)
		length = pf_cursor_u64(c);
	if (length == 0)
		pf_cursor_fail(c, "end of the table");
	*id_at = address_of(cfi, c);
	body = pf_cursor_slice(c, length);
	return body;
}

/* What the letters of a common entry's augmentation announce. */
static void
augmentation(
    const struct pf_cfi *cfi, struct pf_cursor *c, const char *letters, struct pf_common *common)
{
	for (; *letters && !c->failure; letters++) {
		switch (*letters) {
		case 'R':
			common->encoding = pf_read_u8(c);
			break;
		case 'L':
			pf_read_u8(c);
			break;
		case 'P':
			encoded(cfi, c, pf_read_u8(c) & (uint8_t)~ENC_INDIRECT);
			break;
		case 'S':
			common->signal_frame = true;
			break;
		default:
			pf_cursor_fail(c, "augmentation not known");
		}
	}
}

static bool
common_entry(const struct pf_cfi *cfi, uint64_t address, struct pf_common *common)
{
	struct pf_cursor c = at(cfi, address), data;
	uint64_t id_at;
	const char *letters;
	uint8_t version;

	*common = (struct pf_common){.encoding = ENC_ABSPTR};
	c = record(cfi, &c, &id_at);
	if (pf_read_fixed(&c, 4) != 0)
		return false;
	version = pf_read_u8(&c);
	letters = (const char *)c.at;
	if (!memchr(letters, 0, pf_cursor_left(&c)) || (version != 1 && version != 3))
		return false;
	pf_cursor_skip(&c, strlen(letters) + 1);
	common->code_align = pf_cursor_varint(&c);
	common->data_align = pf_read_sleb(&c);
	common->return_column = version == 1 ? pf_read_u8(&c) : pf_cursor_varint(&c);
	if (*letters == 'z') {
		common->sized = true;
		data = pf_cursor_slice(&c, pf_cursor_varint(&c));
		augmentation(cfi, &data, letters + 1, common);
		if (data.failure)
			return false;
	} else if (*letters) {
		return false;
	}
	common->program = c;
	return !c.failure && common->return_column == PF_REG_PC;
}

/* The entry of the function that holds an address: `c` is behind its range. */
static bool
function_entry(const struct pf_cfi *cfi, uint64_t pc, struct pf_common *common, struct pf_cursor *c,
    uint64_t *start, uint64_t *range)
{
	uint64_t entry, id_at, back;

	if (!cfi->count || !search(cfi, pc, &entry))
		return false;
	*c = at(cfi, entry);
	*c = record(cfi, c, &id_at);
	back = pf_read_fixed(c, 4);
	if (c->failure || back == 0 || !common_entry(cfi, id_at - back, common))
		return false;
	*start = encoded(cfi, c, common->encoding);
	*range = encoded(cfi, c, common->encoding & 0x0f);
	return !c->failure && pc >= *start && pc - *start < *range;
}

uint64_t
pf_cfi_limit(const struct pf_cfi *cfi, uint64_t pc)
{
	struct pf_common common;
	struct pf_cursor c;
	uint64_t start, range;

	return function_entry(cfi, pc, &common, &c, &start, &range) ? start + range : 0;
}

bool
pf_cfi_row(const struct pf_cfi *cfi, uint64_t pc, struct pf_row *row)
{
	struct pf_common common;
	struct pf_cursor c;
	uint64_t start, range;

	if (!function_entry(cfi, pc, &common, &c, &start, &range))
		return false;
	if (common.sized)
		pf_cursor_skip(&c, pf_cursor_varint(&c));
	return pf_cfi_run(&common, c, start, pc, row);
}
