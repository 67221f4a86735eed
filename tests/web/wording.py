"""What tells English from German on a page."""

from __future__ import annotations

import re

# Words that German sentences and names of the engine do not have.
ENGLISH = re.compile(
    r"\b(the|and|of|with|which|this|is|are|not|from|yet|none|show|create|delete|users?|items?|events?|search|rows?|choose|by|"
    r"each|their|than|have|has|be|as|what|how|why|your|you|it|save|back|cancel|import|train|kind|used?|about|between|least|most)\b",
    re.IGNORECASE,
)
# ARNs, recipes, resources and fields of filters are called the same in every language.
NAMES = re.compile(r"arn:\S+|aws-[\w-]+|user-personalization|[A-Z][a-z]+ (?:personalization|items|attribute affinity|affinity)|films-[A-Z]+|Items\.\w+|"
                   r"CREATE PENDING|AND|USERS|ITEMS")  # fmt: skip
