"""Prices, made up from numbers."""


def prices(count):
    return [{"number": number, "price": price(number)} for number in range(count)]


def price(number):
    cents = number * 7919 % 1009
    return round(cents / 100, 2)


def cheapest(count):
    return min(price(number) for number in range(count + 1))
