"""Who is asking: the user id in `X-User-Id`, which the edge would set after signing a person in."""

from django.http import JsonResponse

ANONYMOUS = 0


class ViewerMiddleware:
    """Sets `request.viewer_id`, 0 for nobody; refuses what is not a number."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get("X-User-Id", "0")
        if not (given.isascii() and given.isdigit() and len(given) < 10):
            return JsonResponse({"error": "X-User-Id is not a user id"}, status=400)
        request.viewer_id = int(given)
        return self.get_response(request)


def signed_in(view):
    """Answer 401 where nobody has signed in."""

    def checked(request, **arguments):
        if request.viewer_id == ANONYMOUS:
            return JsonResponse({"error": "sign in first"}, status=401)
        return view(request, **arguments)

    return checked
