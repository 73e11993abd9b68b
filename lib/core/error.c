/* error.c: see error.h. Messages are cut at the array's end, never overrun. */
#include "core/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int
pf_error_set(struct pf_error *err, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	err->code = code;
	va_start(args, format);
	vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	return code;
}

int
pf_error_prefix(struct pf_error *err, const char *format, ...)
{
	char tail[sizeof err->message];
	va_list args;
	int n;

	if (!err)
		return PF_EINPUT;
	memcpy(tail, err->message, sizeof tail);
	va_start(args, format);
	n = vsnprintf(err->message, sizeof err->message, format, args);
	va_end(args);
	if (n >= 0 && (size_t)n < sizeof err->message)
		snprintf(err->message + n, sizeof err->message - (size_t)n, ": %s", tail);
	return err->code;
}

int
pf_error_nomem(struct pf_error *err)
{
	return pf_error_set(
	    err, PF_ENOMEM, "out of memory; give the process more, or less input at once");
}

int
pf_error_errno(struct pf_error *err, const char *what, const char *path)
{
	int saved = errno;

	if (saved == ENOMEM)
		return pf_error_nomem(err);
	return pf_error_set(err, PF_EIO, "%s %s: %s", what, path, strerror(saved));
}

int
pf_exit_code(int code)
{
	return code == PF_ENOMEM ? PF_EIO : code;
}

const char *
pf_version(void)
{
	return PROFUSE_VERSION;
}
