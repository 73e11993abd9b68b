/*
 * hook_signal.c: what SIGTRAP does, in front of libc's functions.
 *
 * While the agent takes single steps (steps.h) a trap must come to its handler: a host that
 * takes the signal over in the middle of another thread's burst would get that thread's
 * trap, or die of it. So bursts end first, and the host finds what it would have found
 * without an agent. Other signals are passed through.
 */
#include <signal.h>

#include "collect/agent/hooks.h"
#include "collect/agent/next.h"
#include "collect/agent/steps.h"

typedef int action_function(int, const struct sigaction *, struct sigaction *);
typedef void handler_function(int);
typedef handler_function *signal_function(int, handler_function *);

PF_TARGET(sigaction_next, .name = "sigaction");

int
pf_hooks_sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
	return ((action_function *)pf_next_target(&sigaction_next, PF_CALLER))(
	    number, action, before);
}

static bool
is_plain(const struct sigaction *action)
{
	return !action || (!(action->sa_flags & SA_SIGINFO) && action->sa_handler == SIG_DFL);
}

PF_EXPORT int
sigaction(int number, const struct sigaction *action, struct sigaction *before)
{
	if (number == SIGTRAP && pf_steps_asked(is_plain(action))) {
		if (before)
			*before = (struct sigaction){.sa_handler = SIG_DFL};
		return 0;
	}
	return pf_hooks_sigaction(number, action, before);
}

/* The older functions differ in what else they set. */
#define SETTER(NAME)                                                                 \
	PF_TARGET(NAME##_next, .name = #NAME);                                       \
	PF_EXPORT handler_function *NAME(int number, handler_function *handler)      \
	{                                                                            \
		if (number == SIGTRAP && pf_steps_asked(handler == SIG_DFL))         \
			return SIG_DFL;                                              \
		return ((signal_function *)pf_next_target(&NAME##_next, PF_CALLER))( \
		    number, handler);                                                \
	}

SETTER(signal)
SETTER(__sysv_signal)
SETTER(sigset)
