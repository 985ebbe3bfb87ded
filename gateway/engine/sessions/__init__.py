"""Sessions at providers: what they live by, where that is kept, and how it is renewed, once for all who need it."""
