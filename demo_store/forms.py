"""The shop's forms."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from flask_wtf import FlaskForm
from wtforms import BooleanField, HiddenField, IntegerField, StringField
from wtforms.validators import DataRequired, Length, NumberRange, Optional, ValidationError

from .basket import MOST


def _trim(text: str | None) -> str:
    return " ".join((text or "").split())


class AddForm(FlaskForm):
    """Put a variant into the basket."""

    variant = HiddenField(validators=[DataRequired("Choose one.")])
    quantity = IntegerField(default=1, validators=[NumberRange(1, MOST, f"Between 1 and {MOST}.")])


class QuantityForm(FlaskForm):
    """Change how many of a line are wanted; 0 takes it out."""

    variant = HiddenField(validators=[DataRequired()])
    quantity = IntegerField(validators=[NumberRange(0, MOST)])


class CheckoutForm(FlaskForm):
    """Everything an order needs, in one column. Nothing of it leaves the demo, and the card is never charged."""

    key = HiddenField(validators=[DataRequired(), Length(max=64)])
    email = StringField("E-mail", filters=[_trim], validators=[DataRequired("Where may we write to?"), Length(max=120)])
    name = StringField(
        "Full name",
        filters=[_trim],
        validators=[DataRequired("Who is it for?"), Length(2, 80, "At least two letters.")],
    )
    address = StringField(
        "Street and number",
        filters=[_trim],
        validators=[DataRequired("Where does it go?"), Length(5, 120, "The street with its number, please.")],
    )
    postcode = StringField(
        "Postcode",
        filters=[_trim],
        validators=[DataRequired("The postcode is missing."), Length(3, 12, "Between 3 and 12 characters.")],
    )
    city = StringField("Town", filters=[_trim], validators=[DataRequired("The town is missing."), Length(2, 60)])
    note = StringField(
        "A note for the carrier (optional)",
        filters=[_trim],
        validators=[Optional(), Length(max=140, message="At most 140 characters.")],
    )
    card = StringField(
        "Card number",
        filters=[_trim],
        validators=[DataRequired("A card number is needed; 4242 4242 4242 4242 will do.")],
    )
    expiry = StringField("Expiry (MM/YY)", filters=[_trim], validators=[DataRequired("When does the card expire?")])
    gift = BooleanField("Wrap it as a gift, without a price")

    def validate_email(self, field: StringField) -> None:
        if not re.fullmatch(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+", field.data or ""):
            raise ValidationError("That does not look like an e-mail address, such as you@example.org.")

    def validate_card(self, field: StringField) -> None:
        digits = re.sub(r"[ -]", "", field.data or "")
        if not re.fullmatch(r"[0-9]{12,19}", digits) or not _luhn(digits):
            raise ValidationError("That is not a card number. This is a demo: use 4242 4242 4242 4242.")

    def validate_expiry(self, field: StringField) -> None:
        found = re.fullmatch(r"(0[1-9]|1[0-2]) ?/ ?([0-9]{2})", field.data or "")
        if not found:
            raise ValidationError("Month and year as MM/YY, such as 09/31.")
        today = datetime.now(UTC)
        if (2000 + int(found[2]), int(found[1])) < (today.year, today.month):
            raise ValidationError("This card has expired.")


def _luhn(digits: str) -> bool:
    """The check digit of ISO/IEC 7812: from the right every second digit counts double, nines cast out.

    >>> _luhn("4242424242424242"), _luhn("4242424242424241")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
