/* What routes.c and steps.c share: see routes.c. */
#ifndef DYNOSCOPE_ROUTES_H
#define DYNOSCOPE_ROUTES_H

#include "fast.h"

/* What django_routes.py hands over: each name is a keyword of Routes(). */
#define ROUTES_FIELDS(X) \
    X(core) \
    X(kept_settings) /* vars(django.conf.settings): what was asked for so far */ \
    X(resolver_of)   /* (urlconf) -> its resolver */ \
    X(not_found)     /* Resolver404 */ \
    X(depends_on_language) X(get_language) X(mounted) X(prefix_now) /* as in Python */ \
    X(prefix_var)    /* the ContextVar that prefix_now() asks; None: not as is known here */ \
    X(early)         /* (environ) -> (route, answer) */ \
    X(settled)       /* (request, resolve, handler, request of Django's) -> answer */ \
    X(second_frame)  /* (taking, resolve, handler, request) -> frame or None */ \
    X(resolve)       /* BaseHandler.resolve_request as it was */ \
    X(taken)         /* what Request.routing is once Django has its answer */

#define ROUTES_NAMES(X) \
    X(PATH_INFO) X(SCRIPT_NAME) X(SCRIPT_URL) X(REDIRECT_URL) X(REQUEST_METHOD) X(ROOT_URLCONF) \
    X(FORCE_SCRIPT_NAME) X(resolve) X(route) X(path_info) X(method) X(urlconf) X(resolver_match) \
    X(resolve_request) X(thread_id) X(data) X(value)

typedef struct {
    PyObject_HEAD
#define X(name) PyObject *name;
    ROUTES_FIELDS(X)
#undef X
    struct {
#define X(name) PyObject *name;
        ROUTES_NAMES(X)
#undef X
        PyObject *slash;
    } names;
    PyObject *answer_type, *taking_type, *entering_type;
    PyObject *plain; /* the resolver whose answers do not hang on the language */
    uint64_t settings_version;
    PyObject *root; /* ROOT_URLCONF in the settings of this version; NULL if not as usual */
    char no_prefix; /* whether their FORCE_SCRIPT_NAME is None */
} Routes;

#define ROUTES_OBJECTS(X) ROUTES_FIELDS(X) X(answer_type) X(taking_type) X(entering_type) X(plain) X(root)

typedef struct {
    PyObject_HEAD
    PyObject *resolver, *urlconf, *path_info, *prefix, *method, *language, *match, *error;
    char settled;
} Answer;

/* routes.c: what the setting ROOT_URLCONF is; borrowed, NULL without an error: not as usual. */
PyObject *root_urlconf(Routes *self);

/* steps.c */
PyObject *routes_taking(Routes *self, PyObject *unused);
PyObject *routes_entering(Routes *self, PyObject *taking);

#endif
