/* open.c: reading as the public header has it; reader.h does the work. */
#include "profile/reader.h"

int
pf_profile_parse(struct pf_profile **profile, const char *name, const void *bytes, size_t size,
    const struct pf_read_options *options, struct pf_error *err)
{
	struct pf_reader r;
	int rc;

	*profile = NULL;
	pf_reader_init(&r);
	rc = pf_reader_borrow(&r, name, bytes, size, options, err);
	if (!rc)
		rc = pf_reader_whole(&r, profile, err);
	pf_reader_release(&r);
	return rc;
}

int
pf_profile_open(struct pf_profile **profile, const char *path,
    const struct pf_read_options *options, struct pf_error *err)
{
	struct pf_reader r;
	int rc;

	*profile = NULL;
	pf_reader_init(&r);
	rc = pf_reader_open(&r, path, options, err);
	if (!rc)
		rc = pf_reader_whole(&r, profile, err);
	pf_reader_release(&r);
	return rc;
}

int
pf_profile_stream(const char *path, const struct pf_read_options *options,
    pf_profile_part_function take, void *data, struct pf_error *err)
{
	const struct pf_parts parts = {.take = take, .data = data};
	struct pf_reader r;
	int rc;

	pf_reader_init(&r);
	rc = pf_reader_open(&r, path, options, err);
	if (!rc)
		rc = pf_reader_parts(&r, &parts, err);
	pf_reader_release(&r);
	return rc;
}
