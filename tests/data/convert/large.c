/* Uses several files of lib/core, so that a test binary has inlining across real code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/buffer.h"
#include "core/cursor.h"
#include "core/md5.h"
#include "core/strings.h"

__attribute__((noinline)) uint64_t
work(struct pf_strings *strings, uint64_t seed)
{
	struct pf_buffer b;
	struct pf_cursor c;
	uint64_t sum = 0;
	uint32_t id;

	pf_buffer_init(&b, 1 << 20);
	for (uint64_t i = 0; i < 100; i++)
		pf_buffer_uleb(&b, (seed + i) * i);
	pf_cursor_init(&c, "numbers", b.bytes, b.size);
	while (pf_cursor_more(&c))
		sum += pf_cursor_varint(&c);
	pf_buffer_clear(&b);
	pf_buffer_printf(&b, "name-%d", (int)(sum % 100));
	if (pf_strings_add(strings, (const char *)b.bytes, b.size, &id, NULL) == 0)
		sum += id + pf_md5_low64(b.bytes, b.size);
	pf_buffer_release(&b);
	return sum;
}

int
main(void)
{
	struct pf_strings strings;
	uint64_t sum = 0;

	if (pf_strings_init(&strings, NULL))
		return 1;
	for (uint64_t i = 0; i < 1000; i++)
		sum += work(&strings, i);
	printf("%llu\n", (unsigned long long)sum);
	pf_strings_release(&strings);
	return 0;
}
